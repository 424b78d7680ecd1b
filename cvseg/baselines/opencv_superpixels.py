"""OpenCV's superpixels, with its own default settings: ten iterations, then connected labels.

SLIC and its relatives are given OpenCV's 8-bit L*a*b*, as its example does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from cvseg.baselines.opencv_module import opencv_module

ITERATIONS = 10


def _labels(name: str, creator: str, image: Any, count: int, create: Callable[[Any, Any, int], Any]) -> Any:
    cv2 = opencv_module(name, f"ximgproc.{creator}")
    height, width = image.shape[:2]
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2Lab)
    side = max(1, round(math.sqrt(height * width / count)))
    superpixels = create(cv2.ximgproc, lab, side)
    superpixels.iterate(ITERATIONS)
    superpixels.enforceLabelConnectivity()
    return np.asarray(superpixels.getLabels(), np.int32)


def opencv_slic(image: Any, count: int) -> Any:
    """SLIC. (H, W, 3) uint8 RGB in, (H, W) int32 labels out."""
    return _labels(
        "opencv_slic",
        "createSuperpixelSLIC",
        image,
        count,
        lambda module, lab, side: module.createSuperpixelSLIC(lab, module.SLIC, side),
    )


def opencv_slico(image: Any, count: int) -> Any:
    """SLIC with a compactness for each superpixel: the default algorithm. (H, W, 3) uint8 RGB in, int32 labels out."""
    return _labels(
        "opencv_slico",
        "createSuperpixelSLIC",
        image,
        count,
        lambda module, lab, side: module.createSuperpixelSLIC(lab, region_size=side),
    )


def opencv_mslic(image: Any, count: int) -> Any:
    """SLIC on a manifold, finer where there is more to see. (H, W, 3) uint8 RGB in, (H, W) int32 labels out."""
    return _labels(
        "opencv_mslic",
        "createSuperpixelSLIC",
        image,
        count,
        lambda module, lab, side: module.createSuperpixelSLIC(lab, module.MSLIC, side),
    )


def opencv_lsc(image: Any, count: int) -> Any:
    """Linear spectral clustering. (H, W, 3) uint8 RGB in, (H, W) int32 labels out."""
    return _labels(
        "opencv_lsc",
        "createSuperpixelLSC",
        image,
        count,
        lambda module, lab, side: module.createSuperpixelLSC(lab, region_size=side),
    )


def opencv_seeds(image: Any, count: int) -> Any:
    """SEEDS: four levels of blocks, five bins, prior 2. (H, W, 3) uint8 RGB in, (H, W) int32 labels out."""
    cv2 = opencv_module("opencv_seeds", "ximgproc.createSuperpixelSEEDS")
    height, width = image.shape[:2]
    superpixels = cv2.ximgproc.createSuperpixelSEEDS(width, height, 3, count, 4)
    superpixels.iterate(cv2.cvtColor(image, cv2.COLOR_RGB2HSV), ITERATIONS)
    return np.asarray(superpixels.getLabels(), np.int32)
