"""Photographs that come inside scikit-image's wheel, read without scikit-image's downloader."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import InputError

SOFTNESS_PX = 0.6  # standard deviation


@lru_cache(maxsize=16)
def load_photograph(file_name: str) -> NDArray[np.uint8]:
    """A bundled photograph, grey ones repeated over three channels. Treat the array as read-only: it is shared.

    Parameters
    ----------
    file_name : a file of ``skimage/data``, such as ``"astronaut.png"``

    Returns
    -------
    (H, W, 3) uint8 RGB

    Raises
    ------
    InputError
        when this installation of scikit-image does not bring the file.
    """
    from PIL import Image

    # Only the folder is needed: importing skimage, and its downloader, would cost time and may want the network.
    spec = importlib.util.find_spec("skimage")
    folder = Path(spec.origin).parent / "data" if spec is not None and spec.origin else None
    if folder is None or not (folder / file_name).is_file():
        raise InputError(
            f"the photograph {file_name} is not part of this scikit-image. "
            "Install scikit-image from a wheel: pip install --force-reinstall scikit-image."
        )
    with Image.open(folder / file_name) as picture:
        pixels = np.array(picture.convert("RGB"))
    pixels.setflags(write=False)
    return pixels


def softened(colour: NDArray[np.float32]) -> NDArray[np.float32]:
    """A texture, (H, W, 3), without the detail of single pixels.

    A lens never shows it, and bilinear sampling would let it flicker as the texture moves by parts of a pixel.
    """
    from scipy.ndimage import gaussian_filter1d

    across = gaussian_filter1d(colour, SOFTNESS_PX, axis=1, truncate=3.5)
    return gaussian_filter1d(across, SOFTNESS_PX, axis=0, truncate=3.5)
