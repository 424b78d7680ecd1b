"""pyramid_down and pad_edges."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.pyramid.pad_edges import pad_edges
from cvseg.kernels.pyramid.pyramid_down import pyramid_down


def test_each_coarse_pixel_is_the_mean_of_four(device):
    image = np.arange(24, dtype=np.float32).reshape(4, 6)
    expected = image.reshape(2, 2, 3, 2).mean((1, 3))
    assert_array_equal(to_host(pyramid_down(device.array(image))), expected)


def test_an_odd_edge_counts_twice(device):
    image = np.float32([[1, 2, 5], [3, 4, 7], [9, 11, 13]])
    assert_array_equal(to_host(pyramid_down(device.array(image))), [[2.5, 6], [10, 13]])


@pytest.mark.parametrize("size_hw", [(64, 64), (61, 47), (97, 33)])
def test_a_ramp_keeps_its_place_over_four_levels(size_hw, device):
    width = size_hw[1]
    ramp = np.broadcast_to(np.arange(width, dtype=np.float32), size_hw).copy()
    image, factor = device.array(ramp), 1
    for _ in range(4):
        image, factor = pyramid_down(image), factor * 2
        # Coarse pixel i covers fine pixels i * factor .. (i + 1) * factor - 1: its centre tells where it lies.
        inside = width // factor
        assert_allclose(to_host(image)[0, :inside], np.arange(inside) * factor + (factor - 1) / 2, rtol=1e-6)


@pytest.mark.parametrize("margin", [0, 1, 16])
def test_padding_repeats_the_edge(margin, device):
    image = np.random.default_rng(0).random((5, 7), dtype=np.float32)
    assert_array_equal(to_host(pad_edges(device.array(image), np.int32(margin))), np.pad(image, margin, mode="edge"))
