"""OpenCV's superpixels, with its own default settings unless a line says otherwise. One table.

Every method takes (H, W, 3) uint8 RGB and the wished number, and gives (H, W) int32 labels from 0. Those that iterate
do so ten times. SLIC and its relatives are given OpenCV's 8-bit L*a*b*, as its example does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from cvseg.baselines.opencv_module import opencv_module
from cvseg.baselines.searched_scale import SearchedScale

ITERATIONS = 10


def _clusters(name: str, creator: str, **chosen: str) -> Callable[[Any, int], Any]:
    """A method of clusters: `chosen` names constants of `cv2.ximgproc` for the creator's arguments."""

    def method(image: Any, count: int) -> Any:
        cv2 = opencv_module(name, f"ximgproc.{creator}")
        height, width = image.shape[:2]
        side = max(1, round(math.sqrt(height * width / count)))
        options = {word: getattr(cv2.ximgproc, constant) for word, constant in chosen.items()}
        lab = cv2.cvtColor(image, cv2.COLOR_RGB2Lab)
        superpixels = getattr(cv2.ximgproc, creator)(lab, region_size=side, **options)
        superpixels.iterate(ITERATIONS)
        superpixels.enforceLabelConnectivity()
        return np.asarray(superpixels.getLabels(), np.int32)

    return method


def _seeds(image: Any, count: int) -> Any:
    """Four levels of blocks, five bins, prior 2. Bound to its grid of blocks: the number may be far from the wish."""
    cv2 = opencv_module("opencv_seeds", "ximgproc.createSuperpixelSEEDS")
    height, width = image.shape[:2]
    superpixels = cv2.ximgproc.createSuperpixelSEEDS(width, height, 3, count, 4)
    superpixels.iterate(cv2.cvtColor(image, cv2.COLOR_RGB2HSV), ITERATIONS)
    return np.asarray(superpixels.getLabels(), np.int32)


def _graph(image: Any, count: int, scale: float) -> Any:
    """Sigma 0.8: better than the default of 0.5 on the Berkeley images. Regions below a fifth of the average join."""
    cv2 = opencv_module("opencv_graph", "ximgproc.segmentation.createGraphSegmentation")
    height, width = image.shape[:2]
    least = max(1, round(0.2 * height * width / count))
    graph = cv2.ximgproc.segmentation.createGraphSegmentation(0.8, scale, least)
    return np.asarray(graph.processImage(np.ascontiguousarray(image[:, :, ::-1])), np.int32)


OPENCV_SUPERPIXEL_METHODS: dict[str, Callable[[Any, int], Any]] = {
    "opencv_slic": _clusters("opencv_slic", "createSuperpixelSLIC", algorithm="SLIC"),
    # SLIC with a compactness for each superpixel: what createSuperpixelSLIC does without being told.
    "opencv_slico": _clusters("opencv_slico", "createSuperpixelSLIC"),
    # SLIC on a manifold, finer where there is more to see: far more superpixels than wished.
    "opencv_mslic": _clusters("opencv_mslic", "createSuperpixelSLIC", algorithm="MSLIC"),
    "opencv_lsc": _clusters("opencv_lsc", "createSuperpixelLSC"),
    "opencv_seeds": _seeds,
    "opencv_graph": SearchedScale(_graph, 1.0, 5000.0),
}
