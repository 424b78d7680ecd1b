"""OpenCV's background models with its own default settings, each as an object with ``update(image) -> mask``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.baselines.opencv_module import opencv_module

FOREGROUND = 200  # MOG2 and KNN mark shadows by 127: only what is above counts


class OpencvBackground:
    """One of OpenCV's models.

    Parameters
    ----------
    name : for messages
    creator : the function of ``cv2`` that makes it, as "bgsegm.createBackgroundSubtractorGSOC"
    threads : most threads it may use; 0 for as many as OpenCV has

    Raises
    ------
    MissingExtraError
    """

    def __init__(self, name: str, creator: str, threads: int = 0) -> None:
        self._threads = threads
        self._cv2 = opencv_module(name, creator)
        create: Any = self._cv2
        for word in creator.split("."):
            create = getattr(create, word)
        # Some of them draw from OpenCV's generator, which is shared by all: equal runs must give equal masks.
        self._cv2.setRNGSeed(0)
        self._model = create()

    def update(self, image: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Take in one (H, W, 3) uint8 RGB picture; the (H, W) bool mask of what moves, shadows left out."""
        usual = self._cv2.getNumThreads()
        if self._threads:
            self._cv2.setNumThreads(self._threads)
        found: NDArray[np.bool_] = self._model.apply(np.ascontiguousarray(image[..., ::-1])) > FOREGROUND
        self._cv2.setNumThreads(usual)
        return found


def _creates(name: str, creator: str, threads: int = 0) -> Callable[[], OpencvBackground]:
    return lambda: OpencvBackground(name, creator, threads)


OPENCV_BACKGROUND_METHODS: dict[str, Callable[[], OpencvBackground]] = {
    name: _creates(name, creator, threads)
    for name, (creator, threads) in {
        "opencv_mog2": ("createBackgroundSubtractorMOG2", 0),
        "opencv_knn": ("createBackgroundSubtractorKNN", 0),
        # The threads of these two share one generator: with more than one of them no two runs agree.
        "opencv_gsoc": ("bgsegm.createBackgroundSubtractorGSOC", 1),
        "opencv_lsbp": ("bgsegm.createBackgroundSubtractorLSBP", 1),
        "opencv_cnt": ("bgsegm.createBackgroundSubtractorCNT", 0),
    }.items()
}
