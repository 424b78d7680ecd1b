"""Other libraries' flow under our signature, and what is said when a library is absent or incomplete."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cvseg.baselines import BASELINE_FLOW_METHODS, opencv_module
from cvseg.errors import MissingExtraError


@pytest.mark.parametrize("name", BASELINE_FLOW_METHODS)
def test_a_baseline_finds_a_shift_in_our_axes(name):
    if name.startswith("opencv"):
        pytest.importorskip("cv2", reason="OpenCV is not installed: pip install opencv-contrib-python-headless")
    dx, dy = 2, -1
    texture = gaussian_filter(np.random.default_rng(6).random((96, 128)), 2, mode="wrap")
    gray = np.round(255 * (texture - texture.min()) / np.ptp(texture)).astype(np.uint8)
    image0 = np.repeat(gray[..., None], 3, axis=2)
    image1 = np.roll(image0, (dy, dx), axis=(0, 1))
    before = image0.copy(), image1.copy()
    try:
        flow_xy = BASELINE_FLOW_METHODS[name](image0, image1)
    except MissingExtraError as error:
        pytest.skip(str(error))
    assert flow_xy.shape == (96, 128, 2)
    assert flow_xy.dtype == np.float32
    assert np.abs(np.median(flow_xy[20:-20, 20:-20], axis=(0, 1)) - [dx, dy]).max() < 0.3
    assert np.array_equal(before, (image0, image1))


@pytest.fixture
def cv2_stand_in(monkeypatch):
    module = ModuleType("cv2")
    monkeypatch.setitem(sys.modules, "cv2", module)
    return module


def test_without_opencv_the_error_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    picture = np.zeros((32, 32, 3), np.uint8)
    with pytest.raises(MissingExtraError, match=r"opencv_dis_fast needs OpenCV.*'pip install opencv-contrib-python"):
        BASELINE_FLOW_METHODS["opencv_dis_fast"](picture, picture)
    with pytest.raises(MissingExtraError, match="opencv_farneback needs OpenCV"):
        BASELINE_FLOW_METHODS["opencv_farneback"](picture, picture)


def test_an_empty_cv2_folder_is_told_from_a_missing_one(cv2_stand_in, monkeypatch):
    monkeypatch.setattr(opencv_module, "opencv_variants", list)
    with pytest.raises(MissingExtraError, match="the module cv2 is empty, left over from a variant that was removed"):
        opencv_module.opencv_module("here")
    monkeypatch.setattr(opencv_module, "opencv_variants", lambda: ["opencv-python"])
    with pytest.raises(MissingExtraError, match=r"with opencv-python installed.*'pip uninstall opencv-python'"):
        opencv_module.opencv_module("here")


def test_a_variant_without_the_contributed_modules_is_named(cv2_stand_in, monkeypatch):
    cv2_stand_in.__version__ = "4.99"
    cv2_stand_in.optflow = ModuleType("optflow")
    monkeypatch.setattr(opencv_module, "opencv_variants", lambda: ["opencv-python"])
    picture = np.zeros((32, 32, 3), np.uint8)
    with pytest.raises(
        MissingExtraError,
        match=r"needs cv2.optflow.createOptFlow_DeepFlow, which OpenCV 4.99 \(opencv-python\) does not have",
    ):
        BASELINE_FLOW_METHODS["opencv_deep_flow"](picture, picture)
    assert opencv_module.opencv_module("here", "optflow") is cv2_stand_in
