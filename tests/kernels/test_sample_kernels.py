"""Texture bits by hand, samples handed to neighbours, random numbers that spread evenly."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.background.pixel_hash import pixel_hash
from cvseg.kernels.background.sample_begin import sample_begin
from cvseg.kernels.background.sample_spread import sample_spread
from cvseg.kernels.background.texture_bits import EDGE, NEIGHBOR_X, NEIGHBOR_Y, REACH, texture_bits


def test_a_bit_is_set_for_each_neighbour_that_differs_by_more_than_five_sixteenths(device):
    image = np.full((5, 5, 3), 160, np.uint8)
    for k in range(0, 16, 2):  # a difference of 54 is texture, one of 53 is not: 160 * 5 / 16 + 3 = 53
        image[2 + NEIGHBOR_Y[k], 2 + NEIGHBOR_X[k]] = 160 - 54
        image[2 + NEIGHBOR_Y[k + 1], 2 + NEIGHBOR_X[k + 1]] = 160 + 53
    _, bits = texture_bits(device.array(image), np.int32(3))
    assert int(to_host(bits)[2, 2]) & 0xFFFF == 0x5555


def test_planes_hold_the_channels_and_repeat_the_edges(device):
    image = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    planes = to_host(texture_bits(device.array(image), np.int32(3))[0])
    inside = planes[:, REACH:-REACH, EDGE : EDGE + 7].astype(int)
    assert_array_equal(np.moveaxis(inside[:3], 0, 2), image)
    assert_array_equal(inside[3], (image.astype(int) @ [1, 2, 1]) >> 2)
    assert_array_equal(planes[:, 0, :EDGE], np.repeat(planes[:, REACH, EDGE][:, None], EDGE, axis=1))


def test_the_pixel_that_a_code_points_to_gets_the_copy_and_no_other(device):
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (9, 40, 3), dtype=np.uint8)
    for place in range(25):
        if place == 12:
            continue
        planes, bits = texture_bits(device.array(image), np.int32(3))
        colors, patterns = sample_begin(planes, bits, np.int32(40), np.int32(4))
        before = to_host(colors).copy()
        pushes = np.zeros((9, 40), np.uint8)
        pushes[4, 33] = place + 1 if place < 12 else place
        to_host(sample_spread(device.array(pushes), planes, bits, colors, patterns, np.uint32(7))[0])
        changed = np.argwhere((to_host(colors) != before).any(axis=3))
        y, x = 4 + place // 5 - 2, 33 + place % 5 - 2
        assert {(int(row), int(32 * block + lane)) for row, block, _, lane in changed} <= {(y, x)}
        here = to_host(colors)[y, x // 32, :, :, x % 32]
        assert (here == image[4, 33]).all(axis=1).any()


def test_random_numbers_are_even_and_do_not_repeat_from_frame_to_frame():
    numbers = np.array([[pixel_hash(i, np.uint32(key)) for i in range(4000)] for key in (1, 2)], np.uint64)
    for part in (numbers & 0xFFFF, numbers >> 16):
        assert abs(part.mean() / 65535 - 0.5) < 0.02
        assert np.unique(part[0] * 65536 + part[1]).size > 3990
