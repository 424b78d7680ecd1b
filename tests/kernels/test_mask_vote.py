"""Window votes over a mask, against counts made pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.background.mask_vote import ALL, ANY, MAJORITY, mask_vote


@pytest.mark.parametrize("radius", [1, 3, 7])
@pytest.mark.parametrize(("kind", "enough"), [(ANY, lambda n, all_: n > 0), (MAJORITY, lambda n, all_: 2 * n > all_),
                                              (ALL, lambda n, all_: n == all_)])  # fmt: skip
def test_votes_equal_counts_over_the_window_inside_the_picture(radius, kind, enough, device):
    mask = (np.random.default_rng(radius).random((19, 23)) < (0.97 if kind == ALL else 0.5)).astype(np.uint8)
    expected = np.zeros_like(mask)
    for y in range(19):
        for x in range(23):
            window = mask[max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1]
            expected[y, x] = enough(window.sum(), window.size)
    result = mask_vote(device.array(mask), np.int32(radius), kind)
    assert_array_equal(to_host(result), expected)


def test_a_mask_of_ones_stays_whole_with_the_largest_window(device):
    mask = np.ones((40, 33), np.uint8)
    for kind in (ANY, MAJORITY, ALL):
        assert to_host(mask_vote(device.array(mask), np.int32(7), kind)).all()
