"""OpenCV, when it is installed and has what is needed: four variants share one folder, and break each other."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from cvseg.errors import MissingExtraError

VARIANTS = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")
INSTALL = "pip install opencv-contrib-python-headless"


def opencv_variants() -> list[str]:
    """Installed distributions that bring ``cv2``."""
    found = []
    for name in VARIANTS:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        found.append(name)
    return found


def opencv_module(caller: str, *needed: str) -> Any:
    """``cv2``, with every attribute of `needed` (as "optflow.createOptFlow_DeepFlow").

    Raises
    ------
    MissingExtraError
        when OpenCV is absent, is an empty folder that a removed variant has left, or its variant lacks an attribute;
        the message says which, and the command that repairs it.
    """
    try:
        import cv2
    except ImportError as error:
        raise MissingExtraError(
            f"{caller} needs OpenCV, which cannot be imported ({error}). Run '{INSTALL}'."
        ) from None
    variants = opencv_variants()
    if not hasattr(cv2, "__version__"):
        left = f"with {' and '.join(variants)} installed" if variants else "left over from a variant that was removed"
        raise MissingExtraError(
            f"{caller} needs OpenCV, but the module cv2 is empty, {left}. Remove all variants "
            f"('pip uninstall {' '.join(variants or VARIANTS)}'), then run '{INSTALL}'."
        )
    for name in needed:
        place = cv2
        for word in name.split("."):
            if not hasattr(place, word):
                variant = " and ".join(variants) or "a variant of unknown name"
                raise MissingExtraError(
                    f"{caller} needs cv2.{name}, which OpenCV {cv2.__version__} ({variant}) does not have. Remove it "
                    f"('pip uninstall {' '.join(variants or VARIANTS)}'), then run '{INSTALL}'."
                )
            place = getattr(place, word)
    return cv2
