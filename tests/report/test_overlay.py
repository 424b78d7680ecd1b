"""Drawing: what is tinted, what stays, and where the number goes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.errors import DtypeError, RangeError, ShapeError
from cvseg.kernels.compositing.tint_labels import tint_labels
from cvseg.records import Track
from cvseg.report.overlay import draw_overlay, overlay_palette, track_color


def picture(height=61, width=83):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def labels_with(box, number=1, size_hw=(61, 83)):
    labels = np.zeros(size_hw, np.int32)
    x0, y0, x1, y1 = box
    labels[y0:y1, x0:x1] = number
    return labels


def track(number, box):
    x0, y0, x1, y1 = box
    area = (x1 - x0) * (y1 - y0)
    return Track(number, box, area, ((x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2), (0.0, 0.0), 0.9, 5)


def test_the_background_stays_as_it_is_and_the_input_is_not_changed():
    image = picture()
    before = image.copy()
    labels = labels_with((20, 10, 50, 40))
    drawn = draw_overlay(image, labels)
    assert_array_equal(drawn[labels == 0], image[labels == 0])
    assert (drawn[labels > 0] != image[labels > 0]).any()
    assert_array_equal(image, before)


def test_the_inside_is_mixed_with_the_colour_and_the_inner_edge_is_a_line(device):
    image = np.full((9, 9, 3), 100, np.uint8)
    labels = labels_with((2, 2, 7, 7), 1, (9, 9))
    fill, line = np.zeros((2, 256, 3), np.uint8)
    fill[1], line[1] = (200, 0, 100), (255, 254, 253)
    arguments = device.arrays(image, labels, fill, line)
    drawn = to_host(tint_labels(*arguments, np.int32(128), np.int32(1)))
    assert drawn[4, 4].tolist() == [150, 50, 100]
    assert drawn[2, 2].tolist() == drawn[6, 4].tolist() == [255, 254, 253]
    assert drawn[3, 3].tolist() == [150, 50, 100]
    assert drawn[1, 4].tolist() == [100, 100, 100]


def test_no_opacity_and_no_line_gives_the_picture(device):
    image, labels = picture(), labels_with((3, 3, 60, 50), 7)
    palette = overlay_palette()
    arguments = device.arrays(image, labels, palette, palette)
    assert_array_equal(to_host(tint_labels(*arguments, np.int32(0), np.int32(0))), image)


def test_labels_above_255_take_the_colours_again_and_negative_ones_are_background(device):
    image = np.zeros((1, 3, 3), np.uint8)
    labels = np.array([[300, 2**31 - 1, -5]], np.int32)
    palette = np.arange(256, dtype=np.uint8)[:, None] * np.ones(3, np.uint8)
    arguments = device.arrays(image, labels, np.ascontiguousarray(palette), np.ascontiguousarray(palette))
    drawn = to_host(tint_labels(*arguments, np.int32(256), np.int32(0)))
    assert drawn[0, :, 0].tolist() == [45, (2**31 - 2) % 255 + 1, 0]


def test_a_region_at_the_border_of_the_picture_has_no_line_there():
    labels = np.ones((30, 30), np.int32)
    drawn = draw_overlay(np.full((30, 30, 3), 50, np.uint8), labels)
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 1


def test_the_number_is_written_above_the_box_and_nowhere_else():
    image = picture(200, 300)
    box = (100, 80, 180, 160)
    labels = labels_with(box, 12, (200, 300))
    bare, numbered = draw_overlay(image, labels), draw_overlay(image, labels, [track(12, box)])
    y, x = np.nonzero((bare != numbered).any(axis=-1))
    assert len(y) > 50
    assert y.max() < 80 and y.min() > 50
    assert x.min() > 110 and x.max() < 170


@pytest.mark.parametrize("box", [(0, 0, 20, 20), (280, 0, 300, 20), (0, 190, 20, 200), (-50, -50, 400, 400)])
def test_a_number_at_the_edge_stays_inside_the_picture(box):
    image, labels = picture(200, 300), np.zeros((200, 300), np.int32)
    drawn = draw_overlay(image, labels, [track(3, box)])
    assert (drawn != image).any()


def test_a_picture_too_small_for_a_number_gets_none():
    image = picture(5, 4)
    assert_array_equal(draw_overlay(image, np.zeros((5, 4), np.int32), [track(1, (0, 0, 4, 5))]), image)


def test_ids_keep_their_colour_and_the_first_fifty_can_be_told_apart():
    colors = [track_color(number) for number in range(1, 51)]
    assert len(set(colors)) == 50
    assert min(max(color) for color in colors) >= 90
    assert track_color(256) == track_color(1)
    assert tuple(overlay_palette()[0]) == (0, 0, 0)


def test_arguments_that_do_not_fit_are_refused():
    image, labels = picture(), np.zeros((61, 83), np.int32)
    with pytest.raises(ShapeError, match="labels"):
        draw_overlay(image, labels[:-1])
    with pytest.raises(DtypeError, match="labels"):
        draw_overlay(image, labels.astype(np.int64))
    with pytest.raises(DtypeError, match="image"):
        draw_overlay(image.astype(np.float32), labels)
    with pytest.raises(RangeError, match="opacity"):
        draw_overlay(image, labels, opacity=300)
