"""The program that builds pyramids: the numbers of the kernels one by one, whatever the size and the threads."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.kernels.color.gray_from_rgb import gray_from_rgb
from cvseg.kernels.flow.patch_grid import MARGIN
from cvseg.kernels.flow.pyramid_program import build_pyramids, level_view
from cvseg.kernels.pyramid.pad_edges import pad_edges
from cvseg.kernels.pyramid.pyramid_down import pyramid_down


@pytest.mark.parametrize(
    ("size_hw", "highest"), [((1, 1), 0), ((8, 17), 1), ((45, 61), 2), ((9, 31), 0), ((101, 33), 3), ((64, 96), 4)]
)
@pytest.mark.parametrize("lowest", [0, 1])
@pytest.mark.parametrize("threads", [1, 3])
def test_levels_are_those_of_the_kernels(size_hw, highest, lowest, threads, use_threads):
    use_threads(threads)
    rng = np.random.default_rng(0)
    colour = [rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8) for _ in range(2)]
    gray = [gray_from_rgb(image) for image in colour]
    lowest = min(lowest, highest)
    for pictures in (colour, gray, colour[:1]):
        for arena, image in zip(build_pyramids(pictures, lowest, highest), gray, strict=False):
            for level in range(highest + 1):
                if level:
                    image = pyramid_down(image)
                if level >= lowest:
                    view = level_view(arena, size_hw, lowest, level)
                    assert_array_equal(view, pad_edges(image, np.int32(MARGIN)))
