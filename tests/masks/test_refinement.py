"""Guided smoothing and enlarging against the paper's formulas."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import to_host
from cvseg.color.gray import gray_image
from cvseg.errors import DeviceMismatchError, DtypeError, RangeError, ShapeError
from cvseg.masks.refinement import smooth_along_edges, upsample_along_edges


def windows(size_hw, radius):
    for y, x in np.ndindex(size_hw):
        yield (y, x), (slice(max(y - radius, 0), y + radius + 1), slice(max(x - radius, 0), x + radius + 1))


def guided_filter(values, guide, radius, epsilon):
    """He, Sun and Tang 2010, eqs. 5, 6 and 8 as they are printed, in float64."""
    values, guide = values.astype(np.float64), guide.astype(np.float64)
    a, b = np.empty(values.shape), np.empty(values.shape)
    for place, window in windows(values.shape, radius):
        p, i = values[window], guide[window]
        a[place] = ((i * p).mean() - i.mean() * p.mean()) / (i.var() + epsilon)
        b[place] = p.mean() - a[place] * i.mean()
    result = np.empty(values.shape)
    for place, window in windows(values.shape, radius):
        result[place] = a[window].mean() * guide[place] + b[window].mean()
    return result


@pytest.mark.parametrize("size_hw", [(1, 1), (3, 40), (17, 23)])
@pytest.mark.parametrize(("radius", "epsilon"), [(1, 1e-2), (4, 1e-3), (30, 0.1)])
def test_smoothing_follows_the_paper(size_hw, radius, epsilon, device):
    rng = np.random.default_rng(radius)
    values, guide = rng.random(size_hw, dtype=np.float32), rng.random(size_hw, dtype=np.float32)
    result = smooth_along_edges(*device.arrays(values, guide), radius=radius, epsilon=epsilon)
    # 1e-4: variances are differences of float32 means, divided by at least epsilon
    assert_allclose(to_host(result), guided_filter(values, guide, radius, epsilon), rtol=0, atol=1e-4)


def test_a_constant_stays_and_a_line_of_the_guide_stays(device):
    guide = np.random.default_rng(2).random((20, 30), dtype=np.float32)
    constant = np.full((20, 30), 0.7, np.float32)
    assert_allclose(to_host(smooth_along_edges(*device.arrays(constant, guide))), constant, atol=1e-4)
    line = 0.2 + 0.5 * guide
    assert_allclose(to_host(smooth_along_edges(*device.arrays(line, guide), epsilon=1e-8)), line, atol=1e-3)


def test_a_displaced_edge_moves_to_the_edge_of_the_guide(device):
    guide = np.zeros((30, 40), np.float32)
    guide[:, 20:] = 1
    values = np.zeros((30, 40), np.float32)
    values[:, 22:] = 1  # two pixels too far
    result = to_host(smooth_along_edges(*device.arrays(values, guide)))
    assert ((result > 0.5) == (guide > 0.5)).all()


def test_factor_one_is_smoothing_with_the_grey_of_the_picture(device):
    rng = np.random.default_rng(4)
    image = device.array(rng.integers(0, 256, (21, 35, 3), dtype=np.uint8))
    values = device.array(rng.random((21, 35), dtype=np.float32))
    guide = gray_image(image)
    enlarged, smooth = (
        upsample_along_edges(values, guide, image, 1, radius=3),
        smooth_along_edges(values, guide, radius=3),
    )
    assert_array_equal(to_host(enlarged), to_host(smooth))


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("size_hw", [(24, 36), (23, 37)])
def test_pixel_centres_are_aligned(factor, size_hw, device):
    """A ramp in x, a picture without edges: the enlarged ramp is the ramp of the full-size coordinates."""
    small_hw = [-(-size // factor) for size in size_hw]
    centre_x = factor * np.arange(small_hw[1]) + (factor - 1) / 2
    values = np.tile(centre_x, (small_hw[0], 1)).astype(np.float32)
    guide, image = np.zeros(small_hw, np.float32), np.zeros((*size_hw, 3), np.uint8)
    result = to_host(upsample_along_edges(*device.arrays(values, guide, image), factor, radius=1))
    inner = slice(3 * factor, (small_hw[1] - 3) * factor)  # two windows at the edge are one-sided
    assert_allclose(result[:, inner], np.tile(np.arange(size_hw[1]), (size_hw[0], 1))[:, inner], atol=1e-3)


def test_enlarging_finds_the_edge_between_small_pixels(device):
    image = np.full((40, 60, 3), 30, np.uint8)
    image[:, 31:] = 220  # not on the grid of small pixels
    guide = np.full((10, 15), 30 / 255, np.float32)
    guide[:, 8:] = 220 / 255
    guide[:, 7] = (3 * 30 + 220) / 4 / 255
    values = (guide > 0.3).astype(np.float32)
    result = to_host(upsample_along_edges(*device.arrays(values, guide, image), 4, radius=2, epsilon=1e-4))
    assert ((result > 0.5) == (image[..., 0] > 100)).all()


def test_wrong_arguments_are_refused(emulated_cuda):
    values, image = np.zeros((5, 6), np.float32), np.zeros((10, 12, 3), np.uint8)
    with pytest.raises(ShapeError, match=r"guide is \(5, 5\); expected \(5, 6\)"):
        smooth_along_edges(values, np.zeros((5, 5), np.float32))
    with pytest.raises(DtypeError, match="guide is float64"):
        smooth_along_edges(values, np.zeros((5, 6)))
    with pytest.raises(RangeError, match="radius is 0"):
        smooth_along_edges(values, values, radius=0)
    with pytest.raises(RangeError, match="epsilon is 0"):
        smooth_along_edges(values, values, epsilon=0)
    with pytest.raises(DeviceMismatchError):
        smooth_along_edges(values, emulated_cuda.asarray(values))
    with pytest.raises(ShapeError, match=r"values is \(5, 6\); expected \(4, 4\) for image \(10, 12\) and factor 3"):
        upsample_along_edges(values, values, image, 3)
    with pytest.raises(RangeError, match="factor is 0"):
        upsample_along_edges(values, values, image, 0)
    with pytest.raises(DtypeError, match="image is float32"):
        upsample_along_edges(values, values, image.astype(np.float32), 2)
