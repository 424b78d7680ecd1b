"""color_histogram and color_log_ratio: the same bins, exact counts."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.appearance.color_bins import BINS
from cvseg.kernels.appearance.color_histogram import color_histogram
from cvseg.kernels.appearance.color_log_ratio import color_log_ratio


def bin_of(lightness, a, b):
    return (lightness * BINS + a) * BINS + b


@pytest.mark.parametrize(
    ("lab", "wanted"),
    [
        ((0, -64, -64), bin_of(0, 0, 0)),
        ((6.2, -56.1, -0.1), bin_of(0, 0, 7)),
        ((6.3, -55.9, 0.0), bin_of(1, 1, 8)),
        ((100, 63.9, 63.9), bin_of(15, 15, 15)),
        ((-3, -90, 110), bin_of(0, 0, 15)),  # outside joins the edge
        ((50, np.nan, 8), bin_of(8, 0, 9)),
    ],
)
def test_a_colour_finds_its_bin_in_both_kernels(lab, wanted, device):
    pixel = device.array(np.float32([[lab]]))
    table = device.array(np.arange(BINS**3, dtype=np.float32))
    assert to_host(color_log_ratio(pixel, table)).tolist() == [[wanted]]
    counts = to_host(color_histogram(pixel, device.array(np.float32([[1]]))))
    assert np.argwhere(counts).tolist() == [[0, wanted]]


@pytest.mark.parametrize(
    ("weight", "evidence"),
    [
        (1, (255, 0)),
        (0, (0, 255)),
        (0.5, (0, 0)),
        (0.75, (128, 0)),
        (0.25, (0, 128)),
        (7, (255, 0)),
        (np.nan, (0, 255)),
    ],
)
def test_weight_becomes_evidence_for_one_side(weight, evidence, device):
    lab = device.array(np.zeros((1, 1, 3), np.float32))
    counts = to_host(color_histogram(lab, device.array(np.float32([[weight]]))))
    assert tuple(counts.sum(axis=1)) == evidence


def test_counts_add_up_pixel_by_pixel(device):
    rng = np.random.default_rng(5)
    lab = rng.uniform(-40, 40, (23, 31, 3)).astype(np.float32)
    weight = rng.choice(np.float32([0, 0.5, 1]), (23, 31))
    bins = np.empty((23, 31), int)
    for place in np.ndindex(23, 31):
        pixel = np.ascontiguousarray(lab[place].reshape(1, 1, 3))
        bins[place] = int(color_log_ratio.cpu(pixel, np.arange(BINS**3, dtype=np.float32))[0, 0])
    wanted = [255 * np.bincount(bins[weight == side], minlength=BINS**3) for side in (1, 0)]
    assert_array_equal(to_host(color_histogram(device.array(lab), device.array(weight))), wanted)
