"""scikit-image's superpixels, with its default settings unless a line says otherwise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

SEARCHES = 7  # of the scale that gives the wished number


def skimage_slic(image: Any, count: int) -> Any:
    """SLIC. (H, W, 3) uint8 RGB in, (H, W) int32 labels out."""
    from skimage.segmentation import slic

    return slic(image, n_segments=count, start_label=0).astype(np.int32)


def skimage_felzenszwalb(image: Any, count: int) -> Any:
    """Graph-based segmentation; its scale is searched for the wished number. (H, W, 3) uint8 RGB in, int32 labels out.

    Its time is that of the whole search.
    """
    from skimage.segmentation import felzenszwalb

    height, width = image.shape[:2]
    least = max(1, height * width // (16 * count))
    low, high = 1.0, 2000.0
    best, fault = np.zeros((height, width), np.int32), math.inf
    for _ in range(SEARCHES):
        scale = math.sqrt(low * high)
        labels = felzenszwalb(image, scale=scale, sigma=0.5, min_size=least)
        found = int(labels.max()) + 1
        if abs(math.log(found / count)) < fault:
            best, fault = labels.astype(np.int32), abs(math.log(found / count))
        low, high = (scale, high) if found > count else (low, scale)
    return best
