"""The kernel `blend_layer`, on small pictures with a known answer."""

from __future__ import annotations

import numpy as np

from cvseg.arrays import to_host
from cvseg.kernels.compositing.blend_layer import blend_layer

IDENTITY = np.array([1, 0, 0, 0, 1, 0], np.float32)


def blended(device, layer, to_layer, box, number, size_hw=(3, 4)):
    image, owner = np.full((*size_hw, 3), 0.5, np.float32), np.zeros(size_hw, np.int32)
    numbers = (np.int32(value) for value in (*box, number))
    image, owner = blend_layer(*device.arrays(image, owner, np.float32(layer), to_layer), *numbers)
    return to_host(image), to_host(owner)


def test_coverage_mixes_colours_and_more_than_half_of_it_owns_the_pixel(device):
    layer = np.zeros((3, 4, 4))
    for column, alpha in enumerate((0.0, 0.5, 0.75, 1.0)):
        layer[:, column] = (alpha, 0, 0, alpha)  # red, multiplied by its alpha
    image, owner = blended(device, layer, IDENTITY, (0, 0, 4, 3), 7)
    assert image[1].tolist() == [[0.5, 0.5, 0.5], [0.75, 0.25, 0.25], [0.875, 0.125, 0.125], [1, 0, 0]]
    assert owner.tolist() == [[0, 0, 7, 7]] * 3


def test_a_negative_number_darkens_and_owns_nothing(device):
    layer = np.zeros((3, 4, 4))
    layer[..., 3] = 0.75
    image, owner = blended(device, layer, IDENTITY, (0, 0, 4, 3), -1)
    assert (image == 0.125).all()
    assert not owner.any()


def test_only_the_box_is_touched_and_an_empty_box_touches_nothing(device):
    image, owner = blended(device, np.ones((3, 4, 4)), IDENTITY, (1, 0, 3, 2), 2)
    assert owner.tolist() == [[0, 2, 2, 0], [0, 2, 2, 0], [0, 0, 0, 0]]
    assert ((image == 1).all(axis=2) == (owner == 2)).all()
    for box in ((2, 0, 2, 3), (0, 3, 4, 3), (3, 0, 1, 3)):
        assert not blended(device, np.ones((3, 4, 4)), IDENTITY, box, 2)[1].any()


def test_the_map_shifts_by_parts_of_a_pixel_and_turns(device):
    layer = np.ones((3, 4, 4))
    layer[..., 0] = [0.0, 0.25, 0.5, 1.0]
    shifted, _ = blended(device, layer, np.array([1, 0, 0.5, 0, 1, 0], np.float32), (0, 0, 4, 3), 1)
    assert shifted[0, :, 0].tolist() == [0.125, 0.375, 0.75, 1.0]  # the last one is clamped
    turned, _ = blended(device, layer, np.array([0, 1, 0, 1, 0, 0], np.float32), (0, 0, 4, 3), 1)
    assert turned[:, 0, 0].tolist() == [0.0, 0.25, 0.5]
