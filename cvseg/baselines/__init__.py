"""Other libraries' methods under one signature, to be compared with ours. Nothing else in cvseg uses them.

The libraries are imported when a method is called, not before: OpenCV is an extra, and scikit-image takes its time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cvseg.baselines.opencv_background import OPENCV_BACKGROUND_METHODS, OpencvBackground
from cvseg.baselines.opencv_flow import (
    opencv_deep_flow,
    opencv_dis_fast,
    opencv_dis_medium,
    opencv_dis_ultrafast,
    opencv_farneback,
    opencv_pca_flow,
    opencv_simple_flow,
    opencv_tv_l1,
)
from cvseg.baselines.opencv_superpixels import OPENCV_SUPERPIXEL_METHODS
from cvseg.baselines.skimage_flow import skimage_ilk, skimage_tv_l1
from cvseg.baselines.skimage_superpixels import SKIMAGE_SUPERPIXEL_METHODS

# ``method(image0, image1)``: two (H, W, 3) uint8 RGB images, giving (H, W, 2) float32 pixels as estimate_flow does.
BASELINE_FLOW_METHODS: dict[str, Callable[[Any, Any], Any]] = {
    "opencv_dis_ultrafast": opencv_dis_ultrafast,
    "opencv_dis_fast": opencv_dis_fast,
    "opencv_dis_medium": opencv_dis_medium,
    "opencv_farneback": opencv_farneback,
    "opencv_tv_l1": opencv_tv_l1,
    "opencv_deep_flow": opencv_deep_flow,
    "opencv_pca_flow": opencv_pca_flow,
    "opencv_simple_flow": opencv_simple_flow,
    "skimage_tv_l1": skimage_tv_l1,
    "skimage_ilk": skimage_ilk,
}

# ``method(image, count)``: (H, W, 3) uint8 RGB and the wished number, giving (H, W) int32 labels from 0.
BASELINE_SUPERPIXEL_METHODS: dict[str, Callable[[Any, int], Any]] = {
    **OPENCV_SUPERPIXEL_METHODS,
    **SKIMAGE_SUPERPIXEL_METHODS,
}

# ``method()`` makes a model; ``model.update(image)``: (H, W, 3) uint8 RGB, giving the (H, W) bool mask of what moves.
BASELINE_BACKGROUND_METHODS: dict[str, Callable[[], OpencvBackground]] = OPENCV_BACKGROUND_METHODS

__all__ = ["BASELINE_BACKGROUND_METHODS", "BASELINE_FLOW_METHODS", "BASELINE_SUPERPIXEL_METHODS"]
