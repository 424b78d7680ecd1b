"""Pictures with known motion for the flow tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

SIDE = 256


def _moved_texture(dx, dy):
    """A periodic (256, 256) random texture with the spectrum of photographs, moved by any part of a pixel."""
    frequency_y, frequency_x = np.meshgrid(np.fft.fftfreq(SIDE), np.fft.rfftfreq(SIDE), indexing="ij")
    frequency = np.hypot(frequency_x, frequency_y)
    frequency[0, 0] = 1
    rng = np.random.default_rng(5)
    # Nothing beyond 0.35 cycles per pixel: what is moved by half a pixel must survive it.
    amplitude = np.where(frequency < 0.35, frequency**-1.2, 0)
    phase = rng.uniform(0, 2 * np.pi, frequency.shape) - 2 * np.pi * (frequency_x * dx + frequency_y * dy)
    texture = np.fft.irfft2(amplitude * np.exp(1j * phase), (SIDE, SIDE))
    return texture / (8 * texture.std()) + 0.5


@pytest.fixture(scope="session")
def shifted_pair() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """``shifted_pair((h, w), dx, dy)``: two grey images of one texture, moved by (dx, dy) pixels."""

    def make(size_hw, dx, dy):
        height, width = size_hw
        return tuple(_moved_texture(*shift)[:height, :width].astype(np.float32) for shift in ((0, 0), (dx, dy)))

    return make
