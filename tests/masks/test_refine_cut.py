"""refine_cut: the outline finds the edges of the full picture, and moves nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.errors import DtypeError, RangeError, ShapeError
from cvseg.kernels.color.gray_from_rgb import gray_from_rgb
from cvseg.kernels.color.shrink_rgb import shrink_rgb
from cvseg.masks.refine_cut import refine_cut


def scene(size_hw=(61, 83), factor=2, seed=0):
    """A bright disc on a darker, noisy ground; its mask; the small picture and a cut that is a pixel too far right."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size_hw[0], : size_hw[1]]
    disc = (y - size_hw[0] / 2) ** 2 + (x - size_hw[1] / 2) ** 2 < (0.3 * size_hw[0]) ** 2
    image = np.where(disc, 170, 80)[..., None] + rng.normal(0, 6, (*size_hw, 3))
    image = np.clip(image, 0, 255).astype(np.uint8)
    small = shrink_rgb(image, np.int32(factor))
    guide = gray_from_rgb(small)
    inside = np.roll(guide > 0.49, 1, axis=1).astype(np.float32)
    return inside, guide, image, disc


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


@pytest.mark.parametrize("factor", [2, 3])
def test_the_outline_finds_the_edges_of_the_full_picture(factor, device):
    inside, guide, image, disc = scene(factor=factor)
    height, width = image.shape[:2]
    rough = inside.repeat(factor, axis=0).repeat(factor, axis=1)[:height, :width] > 0.5
    fine = to_host(refine_cut(*device.arrays(inside, guide, image), factor))
    assert fine.shape == (height, width) and fine.dtype == np.float32
    assert iou(fine > 0.5, disc) > 0.97 > 0.92 > iou(rough, disc)


def test_cpu_and_cuda_draw_the_same_mask(cuda_device):
    inside, guide, image, _ = scene()
    fine = refine_cut(inside, guide, image, 2)
    other = to_host(refine_cut(*cuda_device.arrays(inside, guide, image), 2))
    assert ((fine > 0.5) != (other > 0.5)).mean() < 1e-3  # the guided filter rounds differently


def test_pixels_beyond_the_band_stay_on_their_side():
    inside, guide, image, disc = scene()
    color = np.where(disc, 5, -5).astype(np.float32)
    moved = np.roll(inside, 8, axis=1)
    narrow = refine_cut(moved, guide, image, 2, color=color, band_px=4.0) > 0.5
    wide = refine_cut(moved, guide, image, 2, color=color, band_px=40.0) > 0.5
    assert iou(wide, disc) > 0.97
    columns = np.flatnonzero(narrow.any(axis=0))
    assert columns[-1] > np.flatnonzero(disc.any(axis=0))[-1] + 8


def test_a_band_of_nothing_gives_back_the_cut():
    inside, guide, image, _ = scene()
    fine = refine_cut(inside, guide, image, 2, band_px=0.0) > 0.5
    assert_array_equal(fine, (inside.repeat(2, axis=0).repeat(2, axis=1) > 0.5)[:61, :83])


def test_colors_decide_where_the_picture_shows_no_edge():
    inside, _, image, _ = scene()
    flat, guide = np.full_like(image, 90), np.full_like(inside, 90 / 255)
    color = np.full(image.shape[:2], -3, np.float32)
    less = refine_cut(inside, guide, flat, 2, color=color, trust=0.1) > 0.5
    more = refine_cut(inside, guide, flat, 2, color=-color, trust=0.1) > 0.5
    trusting = refine_cut(inside, guide, flat, 2, color=color, trust=50.0) > 0.5
    area = (inside > 0.5).sum() * 4
    assert less.sum() < 0.9 * area and more.sum() > 1.1 * area
    assert 0.9 * area < trusting.sum() < 1.1 * area


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_empty_and_a_full_cut_stay_so(value):
    inside, guide, image, _ = scene()
    fine = refine_cut(np.full_like(inside, value), guide, image, 2)
    assert (fine == value).all()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"inside": np.zeros((31, 42))}, DtypeError, "inside is float64"),
        ({"inside": np.zeros((30, 42), np.float32)}, ShapeError, "values is|guide is"),
        ({"image": np.zeros((61, 83), np.uint8)}, ShapeError, "image is"),
        ({"color": np.zeros((31, 42), np.float32)}, ShapeError, "color is"),
        ({"color": np.zeros((61, 83))}, DtypeError, "color is float64"),
        ({"band_px": -1.0}, RangeError, "band_px"),
        ({"trust": -1.0}, RangeError, "trust"),
        ({"factor": 0}, RangeError, "factor"),
        ({"contrast": -1.0}, RangeError, "contrast"),
        ({"floor": -1.0}, RangeError, "floor"),
        ({"iterations": 0}, RangeError, "iterations"),
    ],
)
def test_wrong_arguments_are_refused(change, error, words):
    inside, guide, image, _ = scene()
    arguments = {"inside": inside, "guide": guide, "image": image, "factor": 2} | change
    with pytest.raises(error, match=words):
        refine_cut(**arguments)
