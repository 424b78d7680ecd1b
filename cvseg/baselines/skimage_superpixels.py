"""scikit-image's superpixels, with its default settings unless a line says otherwise. One table.

Every method takes (H, W, 3) uint8 RGB and the wished number, and gives (H, W) int32 labels from 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cvseg.baselines.searched_scale import SearchedScale


def _slic(image: Any, count: int) -> Any:
    from skimage.segmentation import slic

    return slic(image, n_segments=count, start_label=0).astype(np.int32)


def _felzenszwalb(image: Any, count: int, scale: float) -> Any:
    from skimage.segmentation import felzenszwalb

    height, width = image.shape[:2]
    least = max(1, round(0.2 * height * width / count))
    return felzenszwalb(image, scale=scale, min_size=least).astype(np.int32)


def _watershed(image: Any, count: int) -> Any:
    """Compact watershed of the gradient of grey levels, from markers on a grid, as in scikit-image's own example."""
    from skimage.color import rgb2gray
    from skimage.filters import sobel
    from skimage.segmentation import watershed

    return watershed(sobel(rgb2gray(image)), markers=count, compactness=0.001).astype(np.int32) - np.int32(1)


SKIMAGE_SUPERPIXEL_METHODS: dict[str, Callable[[Any, int], Any]] = {
    "skimage_slic": _slic,
    "skimage_felzenszwalb": SearchedScale(_felzenszwalb, 1.0, 5000.0),
    "skimage_watershed": _watershed,
}
