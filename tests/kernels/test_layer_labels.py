"""layer_labels: each part of the cost by itself, on small images whose answer is worked out by hand."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.motion.layer_labels import layer_labels


def arguments(labels, *, before=None, carried=None, flow_x=0.0, image=None, models=(0.0, 2.0), costs=None):
    """Two layers that move by `models` pixels to the right backward in time, and the reverse forward."""
    labels = np.array(labels, np.int32)
    empty = np.zeros_like(labels)
    backward_xy = np.zeros((*labels.shape, 2), np.float32)
    backward_xy[..., 0] = flow_x
    table = np.zeros((3, 13), np.float32)
    table[1:, 0], table[1:, 6], table[:, 12] = models, -np.array(models), 0.5
    boxes = np.array([[0, 0, 0, 0], [0, 0, 99, 99], [0, 0, 99, 99]], np.int32)
    return [
        labels,
        empty if before is None else np.array(before, np.int32),
        empty if carried is None else np.array(carried, np.int32),
        backward_xy,
        -backward_xy,
        np.zeros((*labels.shape, 3), np.uint8) if image is None else image,
        table,
        boxes,
        np.zeros((3, 512), np.float32) if costs is None else costs,
    ]


def run(device, given, smoothness=0.0, everywhere=1):
    return to_host(layer_labels(*device.arrays(*given), np.float32(smoothness), np.int32(everywhere)))


def test_undecided_pixels_go_to_the_layer_that_moves_as_they_do_and_background_stays(device):
    given = arguments([[-1, -1, 0, -1]], flow_x=[[0.1, 1.8, 0, 2.0]])
    assert_array_equal(run(device, given), [[1, 2, 0, 2]])


def test_what_is_wrong_in_one_direction_of_time_may_be_right_in_the_other(device):
    given = arguments([[-1]], flow_x=9.0)  # uncovered: nothing in the frame before is like it
    given[4][...] = np.float32([-2.0, 0.0])
    assert run(device, given).item() == 2


def test_labels_of_the_frame_before_decide_where_the_motion_does_not(device):
    alike = (1.0, 1.0)
    assert_array_equal(run(device, arguments([[-1, -1]], carried=[[1, 2]], flow_x=1.0, models=alike)), [[1, 2]])
    # A layer's own motion finds its old place: one to the right.
    assert_array_equal(run(device, arguments([[-1, -1]], before=[[0, 2]], flow_x=1.0, models=alike))[0, 0], 2)


def test_a_color_that_is_rare_in_a_layer_speaks_against_it(device):
    costs = np.zeros((3, 512), np.float32)
    costs[1, 0b111_000_000] = 0.5  # red
    image = np.zeros((1, 2, 3), np.uint8)
    image[0, 1] = 255, 0, 0
    given = arguments([[-1, -1]], image=image, models=(0.0, 0.0), costs=costs)
    assert_array_equal(run(device, given), [[1, 2]])


def test_neighbours_agree_unless_an_edge_lies_between(device):
    labels = [[1, 1, 2, 1, 1]]
    given = arguments(labels, models=(0.0, 0.0), carried=[[1, 1, 2, 1, 1]])
    assert_array_equal(run(device, given, smoothness=0.8, everywhere=0), [[1, 1, 1, 1, 1]])
    image = np.zeros((1, 5, 3), np.uint8)
    image[0, 2] = 255
    given[5] = image
    assert_array_equal(run(device, given, smoothness=0.8, everywhere=0), labels)


def test_later_rounds_try_only_the_labels_around_a_pixel(device):
    # The second layer would suit everybody, but only one pixel has it as a neighbour.
    given = arguments([[1, 1, 1, 2]], flow_x=2.0)
    assert_array_equal(run(device, given, everywhere=0), [[1, 1, 2, 2]])
    assert_array_equal(run(device, given, everywhere=1), [[2, 2, 2, 2]])


@pytest.mark.parametrize("where", [(0, 0, 1, 1), (1, 0, 2, 1)])
def test_a_layer_is_only_tried_inside_its_box(device, where):
    given = arguments([[-1, -1]], flow_x=2.0)
    given[7][2] = where
    expected = [[1, 1]]
    expected[0][where[0]] = 2
    assert_array_equal(run(device, given), expected)
