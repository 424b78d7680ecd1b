"""gradients: central differences."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.filtering.gradients import gradients


def test_a_plane_has_its_slopes_everywhere_but_at_the_edges(device):
    y, x = np.mgrid[0:9, 0:13].astype(np.float32)
    gradient_x, gradient_y = map(to_host, gradients(device.array(3 * x - 2 * y)))
    assert_array_equal(gradient_x[:, 1:-1], np.full((9, 11), 3, np.float32))
    assert_array_equal(gradient_y[1:-1], np.full((7, 13), -2, np.float32))
    assert_array_equal(gradient_x[:, [0, -1]], np.full((9, 2), 1.5, np.float32))  # the edge pixel repeats
    assert_array_equal(gradient_y[[0, -1]], np.full((2, 13), -1, np.float32))


def test_a_transposed_image_has_transposed_gradients(device):
    image = np.random.default_rng(0).random((11, 6), dtype=np.float32)
    gradient_x, gradient_y = map(to_host, gradients(device.array(image)))
    turned_x, turned_y = map(to_host, gradients(device.array(image.T)))
    assert_array_equal(turned_x, gradient_y.T)
    assert_array_equal(turned_y, gradient_x.T)


def test_one_pixel_has_no_gradient(device):
    for gradient in gradients(device.array(np.float32([[0.7]]))):
        assert_allclose(to_host(gradient), [[0]])
