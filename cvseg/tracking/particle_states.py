"""States of particles: their columns, the sizes and places that can be, noise, and how a camera carries them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.particle_options import ParticleOptions

Array = NDArray[np.float64]

# Columns of the particles: centre, log size and log aspect against the start, and their velocities per frame.
X, Y, SIZE, ASPECT, VX, VY, VSIZE = range(7)
SIZE_GAIN, SIZE_DAMPING = 0.1, 0.7  # as velocity_gain and damping, for the size: it rarely changes for long
LEAST_SIDE, MOST_LOG_SIZE, MOST_LOG_ASPECT = 4.0, 2.5, 1.0


def sides_of(particles: Array, first_sides: Array) -> Array:
    """(n, 2) width and height, pixels."""
    log_sides = np.stack(
        [particles[:, SIZE] + 0.5 * particles[:, ASPECT], particles[:, SIZE] - 0.5 * particles[:, ASPECT]], axis=1
    )
    return np.asarray(first_sides * np.exp(log_sides))


def bounded(particles: Array, first_sides: Array, size_hw: tuple[int, ...]) -> Array:
    """Sizes and places that can be, in place: no box larger than the picture, no centre far outside it."""
    height, width = size_hw
    least = math.log(LEAST_SIDE / max(float(first_sides.min()), LEAST_SIDE))
    largest = math.log(max(1.2 * min(width / first_sides[0], height / first_sides[1]), 1.0))
    particles[:, SIZE] = np.clip(particles[:, SIZE], max(least, -MOST_LOG_SIZE), min(largest, MOST_LOG_SIZE))
    particles[:, ASPECT] = np.clip(particles[:, ASPECT], -MOST_LOG_ASPECT, MOST_LOG_ASPECT)
    particles[:, X] = np.clip(particles[:, X], -0.5 * width, 1.5 * width)
    particles[:, Y] = np.clip(particles[:, Y], -0.5 * height, 1.5 * height)
    return particles


def shake(particles: Array, draws: Array, sizes: Array, options: ParticleOptions) -> None:
    """Noise on centre, size and proportions; a share of it goes on as velocity."""
    jump = draws[:, :2] * (options.position_noise * sizes)
    particles[:, (X, Y)] += jump
    particles[:, (VX, VY)] += options.velocity_gain * jump
    growth = draws[:, 2] * options.scale_noise
    particles[:, SIZE] += growth
    particles[:, VSIZE] += SIZE_GAIN * growth
    particles[:, ASPECT] += draws[:, 3] * options.aspect_noise


def places_around(
    center_xy: Array, reach: float, sides: Array, size_hw: tuple[int, ...], count: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """x and y of a grid with a random phase, within a distance and the picture, or over the whole picture."""
    whole = np.array([size_hw[1], size_hw[0]], np.float64)
    low, high = np.maximum(center_xy - reach, 0), np.minimum(center_xy + reach, whole)
    if (high <= low).any():
        low, high = np.zeros(2), whole
    extent = np.maximum(high - low, 1.0)
    # As dense as the particles allow, and no denser than a third of the sides.
    step = max(math.sqrt(float(extent.prod()) / count), float(sides.min()) / 3)
    phase = rng.random(2)
    x, y = np.meshgrid(*(np.arange(low[i] + phase[i] * step, high[i], step) for i in (0, 1)))
    return x.ravel(), y.ravel()


def projected(matrix: Array, xy: Array) -> Array:
    homogeneous = xy @ matrix[:, :2].T + matrix[:, 2]
    depth = homogeneous[:, 2:]
    return np.asarray(homogeneous[:, :2] / np.where(np.abs(depth) < 1e-9, 1.0, depth))


def local_map(matrix: Array, xy: Array) -> tuple[Array, float]:
    """How small steps around a point turn (2, 2), and how lengths grow."""
    u, v, w = matrix @ np.array([xy[0], xy[1], 1.0])
    w = w if abs(w) > 1e-9 else 1.0
    turn = (matrix[:2, :2] - np.outer([u / w, v / w], matrix[2, :2])) / w
    return turn, math.sqrt(max(abs(float(np.linalg.det(turn))), 1e-6))
