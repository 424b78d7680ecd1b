"""scikit-image's optical flow, with its default settings. Its axes are rows, then columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvseg.color.gray import gray_image


def _flow(name: str, image0: Any, image1: Any) -> Any:
    from skimage import registration

    down, right = getattr(registration, name)(gray_image(image0), gray_image(image1))
    return np.stack([right, down], axis=2).astype(np.float32, copy=False)


def skimage_tv_l1(image0: Any, image1: Any) -> Any:
    """TV-L1. (H, W, 3) uint8 RGB in, (H, W, 2) float32 pixels out."""
    return _flow("optical_flow_tvl1", image0, image1)


def skimage_ilk(image0: Any, image1: Any) -> Any:
    """Iterative Lucas-Kanade in windows of 15x15. (H, W, 3) uint8 RGB in, (H, W, 2) float32 pixels out."""
    return _flow("optical_flow_ilk", image0, image1)
