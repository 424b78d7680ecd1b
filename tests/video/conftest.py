"""Tiny clips for the video tests, made by PyAV itself so that the readers are not tested against our own writers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

ClipWriter = Callable[..., Path]


def picture(index: int, height: int = 34, width: int = 46) -> np.ndarray:
    """A smooth RGB picture, different for every index, that survives lossy coding well."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    channels = (
        90 + 60 * np.sin(x / 9 + index / 3),
        120 + 50 * np.cos(y / 7),
        110 + 40 * np.sin((x + y) / 11 - index / 5),
    )
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def write_clip(
    path: Path,
    pictures: Sequence[np.ndarray] | int = 6,
    *,
    codec: str = "ffv1",
    pixel_format: str = "bgr0",
    container: str | None = None,
    times: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 25),
    rate: Fraction | int = 25,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    source_format: str = "rgb24",
) -> Path:
    """Encode `pictures` (or that many test pictures), shown at ``times * time_base``."""
    images = [picture(i) for i in range(pictures)] if isinstance(pictures, int) else list(pictures)
    with av.open(str(path), "w", format=container, container_options=container_options or {}) as output:
        stream = output.add_stream(codec, rate=rate)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pixel_format
        # FFV1 cuts a picture into slices, and refuses when that leaves a slice without a pixel.
        tiny = codec == "ffv1" and min(images[0].shape[:2]) < 8
        stream.options = {**({"slices": "1", "level": "3"} if tiny else {}), **(options or {})}
        stream.time_base = stream.codec_context.time_base = time_base
        for i, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=source_format)
            if source_format != pixel_format:
                frame = frame.reformat(format=pixel_format)
            frame.pts = i if times is None else times[i]
            frame.time_base = time_base
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.fixture(name="write_clip")
def _write_clip() -> ClipWriter:
    return write_clip


@pytest.fixture(name="picture")
def _picture() -> Any:
    return picture
