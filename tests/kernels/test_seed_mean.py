"""seed_mean: five maps, each at its own level, and their weighted mean."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from cvseg.arrays import to_host
from cvseg.kernels.motion.seed_mean import seed_mean


def test_each_map_is_scaled_cut_at_one_and_weighted(device):
    rng = np.random.default_rng(6)
    raw = rng.exponential(size=(5, 13, 37)).astype(np.float32)
    levels = np.float32([[1, 1, 0.3], [0.5, 1, 0.2], [2, 0.25, 0.2], [0, 1, 0.2], [1, 0, 0.1]])
    maps, seed = seed_mean(*device.arrays(*raw, levels))
    expected = np.minimum(raw * levels[:, 0, None, None], 1) * levels[:, 1, None, None]
    assert_allclose(to_host(maps), expected, rtol=1e-6)
    assert_allclose(to_host(seed), (expected * levels[:, 2, None, None]).sum(axis=0), atol=1e-6)
    assert to_host(maps)[2].max() == 0.25
