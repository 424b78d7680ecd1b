"""Reading one image file as 8-bit RGB: the rules for grey, 16-bit, alpha, palettes, CMYK and EXIF orientation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FrameDecodeError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jp2", ".png", ".ppm", ".pgm", ".pbm", ".pnm"}) | frozenset(
    {".bmp", ".dib", ".tif", ".tiff", ".webp", ".gif", ".tga"}
)
MANY_PAGES = ("TIFF", "WEBP", "PNG")  # formats whose pages are frames; the second page of a phone's JPEG is not

# EXIF orientation -> (transpose, flip rows, flip columns), in this order: the turn that makes the picture upright.
_ORIENTATIONS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def read_image(path: str | Path, page: int = 0) -> NDArray[np.uint8]:
    """One picture as RGB.

    Grey is repeated in the three channels. 16-bit values keep their high byte (``value >> 8``), as image libraries
    do for colour: 65535 becomes 255, and a 12-bit picture stored in 16 bits becomes dark; scale it before (16-bit
    colour in a PPM file is rounded by Pillow instead: one level away at most). Alpha is
    dropped and the stored colours stay, as FFmpeg and OpenCV do, because an unused alpha channel is often all zero.
    Palettes are looked up, CMYK is converted without a colour profile, and the EXIF orientation is applied.

    Parameters
    ----------
    path : image file that Pillow can read
    page : which picture of a TIFF stack or an animation, from 0

    Returns
    -------
    (H, W, 3) uint8 RGB, C-contiguous

    Raises
    ------
    FrameDecodeError
        when the file cannot be read, is damaged, or holds floats or signed 32-bit values.
    """
    from PIL import Image

    try:
        with Image.open(path) as picture:
            if page:
                picture.seek(page)
            picture.load()
            orientation = _orientation(picture)
            pixels = _rgb(picture)
    except _UnsupportedModeError as error:
        raise FrameDecodeError(
            f"{path} holds {error}; expected 8- or 16-bit pictures. Convert it to PNG first."
        ) from None
    except PermissionError:
        raise FrameDecodeError(f"{path} may not be read: permission denied. Change its permissions.") from None
    except Exception as error:  # Pillow's decoders raise nearly every built-in on damaged data
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FrameDecodeError(
            f"{path} cannot be read as a picture ({reason}). Copy it again or remove it from the folder."
        ) from None
    transpose, flip_rows, flip_columns = _ORIENTATIONS.get(orientation, _ORIENTATIONS[1])
    if transpose:
        pixels = pixels.transpose(1, 0, 2)
    if flip_rows:
        pixels = pixels[::-1]
    if flip_columns:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def page_count(path: str | Path) -> int:
    """How many frames a single file holds: the pages of a TIFF stack or an animated WebP or PNG, else 1."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return int(getattr(picture, "n_frames", 1)) if picture.format in MANY_PAGES else 1
    except Exception:  # read_image says what is wrong, when the picture's turn comes
        return 1


class _UnsupportedModeError(Exception):
    pass


def _orientation(picture: Any) -> int:
    try:
        return int(picture.getexif().get(0x0112, 1))
    except Exception:  # damaged EXIF is no reason to refuse a picture that decodes
        return 1


def _rgb(picture: Any) -> NDArray[np.uint8]:
    mode = picture.mode
    if mode.startswith("I;16") or (mode == "I" and picture.format in ("PNG", "PPM", "TIFF")):
        values = np.asarray(picture)
        if values.min(initial=0) < 0 or values.max(initial=0) > 65535:
            raise _UnsupportedModeError("32-bit integers")
        grey = (values.astype(np.uint16) >> 8).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if mode in ("F", "I"):
        raise _UnsupportedModeError("floating-point values" if mode == "F" else "32-bit integers")
    if mode == "LAB":
        raise _UnsupportedModeError("CIE Lab values")
    # Through RGBA: Pillow warns when a palette with transparency goes straight to RGB.
    if mode in ("P", "PA", "RGBa", "La"):
        picture = picture.convert("RGBA")
    return np.asarray(picture.convert("RGB"))
