"""OpenCV's optical flow, with its own default settings unless a line says otherwise."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from cvseg.baselines.opencv_module import opencv_module

_own = threading.local()  # .estimators: OpenCV's objects keep their buffers, and serve one thread at a time


def _flow(
    name: str, creator: str, image0: Any, image1: Any, create: Callable[[Any], Any], *, needs_color: bool = False
) -> Any:
    cv2 = opencv_module(name, creator)
    estimators = _own.__dict__.setdefault("estimators", {})
    if name not in estimators:
        estimators[name] = create(cv2)
    if not needs_color:
        image0, image1 = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (image0, image1))
    return estimators[name].calc(image0, image1, None)


def opencv_dis_ultrafast(image0: Any, image1: Any) -> Any:
    """Dense inverse search, preset "ultrafast". (H, W, 3) uint8 RGB in, (H, W, 2) float32 pixels out."""
    return _flow(
        "opencv_dis_ultrafast",
        "DISOpticalFlow_create",
        image0,
        image1,
        lambda cv2: cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST),
    )


def opencv_dis_fast(image0: Any, image1: Any) -> Any:
    """Dense inverse search, preset "fast". (H, W, 3) uint8 RGB in, (H, W, 2) float32 pixels out."""
    return _flow(
        "opencv_dis_fast",
        "DISOpticalFlow_create",
        image0,
        image1,
        lambda cv2: cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST),
    )


def opencv_dis_medium(image0: Any, image1: Any) -> Any:
    """Dense inverse search, preset "medium". (H, W, 3) uint8 RGB in, (H, W, 2) float32 pixels out."""
    return _flow(
        "opencv_dis_medium",
        "DISOpticalFlow_create",
        image0,
        image1,
        lambda cv2: cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM),
    )


def opencv_farneback(image0: Any, image1: Any) -> Any:
    """Farneback: 5 levels, window 15, 3 iterations. (H, W, 3) uint8 RGB in, (H, W, 2) float32 pixels out."""
    cv2 = opencv_module("opencv_farneback", "calcOpticalFlowFarneback")
    gray0, gray1 = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (image0, image1))
    return cv2.calcOpticalFlowFarneback(gray0, gray1, None, 0.5, 5, 15, 3, 5, 1.2, 0)


def opencv_tv_l1(image0: Any, image1: Any) -> Any:
    """Dual TV-L1 with 6 levels, each half as large: its own, 5 of 0.8, lose large motion. 2 x 10 iterations per warp.

    (H, W, 3) uint8 RGB in, (H, W, 2) float32 pixels out.
    """

    def create(cv2: Any) -> Any:
        estimator = cv2.optflow.DualTVL1OpticalFlow_create()
        estimator.setScaleStep(0.5)
        estimator.setScalesNumber(6)
        estimator.setOuterIterations(2)
        estimator.setInnerIterations(10)
        return estimator

    return _flow("opencv_tv_l1", "optflow.DualTVL1OpticalFlow_create", image0, image1, create)


def opencv_deep_flow(image0: Any, image1: Any) -> Any:
    """DeepFlow's variational part. (H, W, 3) uint8 RGB in, (H, W, 2) float32 pixels out."""
    creator = "optflow.createOptFlow_DeepFlow"
    return _flow("opencv_deep_flow", creator, image0, image1, lambda cv2: cv2.optflow.createOptFlow_DeepFlow())


def opencv_pca_flow(image0: Any, image1: Any) -> Any:
    """PCA-Flow without its learned prior. (H, W, 3) uint8 RGB in, (H, W, 2) float32 pixels out."""
    creator = "optflow.createOptFlow_PCAFlow"
    return _flow("opencv_pca_flow", creator, image0, image1, lambda cv2: cv2.optflow.createOptFlow_PCAFlow())


def opencv_simple_flow(image0: Any, image1: Any) -> Any:
    """SimpleFlow, on colours. (H, W, 3) uint8 RGB in, (H, W, 2) float32 pixels out."""
    creator = "optflow.createOptFlow_SimpleFlow"
    return _flow(
        "opencv_simple_flow",
        creator,
        image0,
        image1,
        lambda cv2: cv2.optflow.createOptFlow_SimpleFlow(),
        needs_color=True,
    )
