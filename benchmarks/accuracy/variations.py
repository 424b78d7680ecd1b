"""Variations of a clip with true masks: what is done to the pictures is done to the truth.

Used by `davis.py --variations`. Each is deterministic: chance comes from a generator seeded by the clip's name.
"""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvseg.records import Frame

RATE = 24  # frames per second of DAVIS
CROPPED_SIDE = 0.8
JPEG_QUALITY = 30
FLICKER = 0.15
SHAKE_PX = 5.0  # standard deviation of the shift in x and in y, for 480 rows
SHAKE_RAD = 0.004
SHAKE_LIMIT = 2.5  # standard deviations
SHAKE_MARGIN = 1.08  # the picture is enlarged by this


@dataclass(frozen=True)
class Clip:
    """Pictures and the true mask of each.

    Attributes
    ----------
    name : of the sequence
    images : (H, W, 3) uint8 RGB, one a frame
    truths : (H, W) bool, one a frame
    rate : frames per second
    """

    name: str
    images: Sequence[NDArray[np.uint8]]
    truths: Sequence[NDArray[np.bool_]]
    rate: Fraction = Fraction(RATE)

    def frames(self) -> list[Frame]:
        """What `cvseg.segment` takes."""
        return [Frame(i, Fraction(i) / self.rate, image, f"{i:05d}") for i, image in enumerate(self.images)]


def read_clip(frames: Path, truths: Path) -> Clip:
    """The frames of a folder that have a true mask of the same stem; any value above 0 of a mask is the object."""
    from PIL import Image

    images, masks = [], []
    for path in sorted(frames.iterdir()):
        truth = truths / f"{path.stem}.png"
        if truth.is_file():
            with Image.open(path) as picture:
                images.append(np.array(picture.convert("RGB")))
            masks.append(read_truth(truth))
    return Clip(frames.name, images, masks)


def read_truth(path: Path) -> NDArray[np.bool_]:
    """(H, W) bool from a mask file; any value above 0 is the object."""
    from PIL import Image

    with Image.open(path) as picture:
        mask = np.asarray(picture)
    return (mask if mask.ndim == 2 else mask[..., :3].max(axis=2)) > 0


def as_is(clip: Clip) -> Clip:
    """The clip itself."""
    return clip


def backwards(clip: Clip) -> Clip:
    """Last frame first."""
    return replace(clip, images=clip.images[::-1], truths=clip.truths[::-1])


def mirrored(clip: Clip) -> Clip:
    """Left is right."""
    return replace(
        clip,
        images=[np.ascontiguousarray(image[:, ::-1]) for image in clip.images],
        truths=[np.ascontiguousarray(truth[:, ::-1]) for truth in clip.truths],
    )


def half_rate(clip: Clip) -> Clip:
    """Every second frame: motion is twice as large."""
    return replace(clip, images=clip.images[::2], truths=clip.truths[::2], rate=clip.rate / 2)


def cropped(clip: Clip) -> Clip:
    """The middle, 80 % of the height and of the width."""
    height, width = clip.truths[0].shape
    rows, columns = round(CROPPED_SIDE * height), round(CROPPED_SIDE * width)
    y, x = (height - rows) // 2, (width - columns) // 2
    part = slice(y, y + rows), slice(x, x + columns)
    return replace(
        clip,
        images=[np.ascontiguousarray(image[part]) for image in clip.images],
        truths=[np.ascontiguousarray(truth[part]) for truth in clip.truths],
    )


def half_size(clip: Clip) -> Clip:
    """Half the height and half the width; a pixel is of the object when at least half of it was."""
    from PIL import Image

    images = [np.asarray(Image.fromarray(image).reduce(2)) for image in clip.images]
    shares = [np.asarray(Image.fromarray(truth.astype(np.uint8) * 255).reduce(2)) for truth in clip.truths]
    return replace(clip, images=images, truths=[share >= 127 for share in shares])


def jpeg_30(clip: Clip) -> Clip:
    """Blocks and lost colours: each picture written as JPEG of quality 30 and read again."""
    from PIL import Image

    images = []
    for image in clip.images:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=JPEG_QUALITY)
        images.append(np.asarray(Image.open(file)))
    return replace(clip, images=images)


def flicker(clip: Clip) -> Clip:
    """Each frame 15 % darker to 15 % brighter, independently of the one before."""
    gains = _generator(clip, 1).uniform(1 - FLICKER, 1 + FLICKER, len(clip.images))
    images = [
        np.clip(np.rint(image * np.float32(gain)), 0, 255).astype(np.uint8)
        for image, gain in zip(clip.images, gains, strict=True)
    ]
    return replace(clip, images=images)


def shake(clip: Clip) -> Clip:
    """A nervous hand: each frame shifted by about 5 pixels and turned a little; the picture is enlarged by 8 %."""
    from PIL import Image

    height, width = clip.truths[0].shape
    # A hand moves between frames and within a second: half of the variance in each.
    steps = _generator(clip, 2).standard_normal((3, len(clip.images) + 8))
    slow = np.array([np.convolve(row, np.ones(9) / 3, "valid") for row in steps])
    # Bounded, so that the ends of the picture are never seen.
    moves = np.clip((steps[:, 4:-4] + slow) / math.sqrt(2), -SHAKE_LIMIT, SHAKE_LIMIT)
    images, truths = [], []
    for image, truth, (x, y, turn) in zip(clip.images, clip.truths, moves.T, strict=True):
        angle, scale = SHAKE_RAD * turn, 1 / SHAKE_MARGIN
        cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
        shift = SHAKE_PX * height / 480
        # Pillow maps (x, y) of the new picture to the old one, pixel centres at .5.
        middle_x, middle_y = width / 2, height / 2
        from_x = middle_x - cosine * middle_x + sine * middle_y + shift * x
        from_y = middle_y - sine * middle_x - cosine * middle_y + shift * y
        matrix = (cosine, -sine, from_x, sine, cosine, from_y)
        affine = Image.Transform.AFFINE
        moved = Image.fromarray(image).transform((width, height), affine, matrix, Image.Resampling.BICUBIC)
        images.append(np.asarray(moved))
        mask = Image.fromarray(truth.astype(np.uint8) * 255).transform((width, height), affine, matrix)
        truths.append(np.asarray(mask) > 0)
    return replace(clip, images=images, truths=truths)


def _generator(clip: Clip, kind: int) -> np.random.Generator:
    return np.random.default_rng([kind, zlib.crc32(clip.name.encode())])


VARIATIONS: dict[str, Callable[[Clip], Clip]] = {
    "as_is": as_is,
    "backwards": backwards,
    "mirrored": mirrored,
    "half_rate": half_rate,
    "cropped": cropped,
    "half_size": half_size,
    "jpeg_30": jpeg_30,
    "flicker": flicker,
    "shake": shake,
}
