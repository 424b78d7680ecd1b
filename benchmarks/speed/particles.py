"""How long a frame of the particle filter takes on a 480p picture, by number of particles.

python -m benchmarks.speed.particles [--repeats 60]

A textured ellipse moves over a textured picture. Medians of wall-clock and processor time of `ParticleFilter.update`.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence

import numpy as np

from cvseg.tracking import ParticleFilter, ParticleOptions

COUNTS = (300, 1000, 3000, 10000)
SIZE_HW, SIDES = (480, 854), (60, 90)


def pictures(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    still = rng.integers(60, 150, (60, 107, 3), np.uint8).repeat(8, 0).repeat(8, 1)[: SIZE_HW[0], : SIZE_HW[1]]
    y, x = np.mgrid[: SIDES[1], : SIDES[0]]
    inside = ((2 * x + 1) / SIDES[0] - 1) ** 2 + ((2 * y + 1) / SIDES[1] - 1) ** 2 < 1
    target = rng.integers(120, 255, (15, 10, 3), np.uint8).repeat(6, 0).repeat(6, 1)
    shown = []
    for t in range(count):
        image, left = still.copy(), 40 + 3 * t % 700
        image[200 : 200 + SIDES[1], left : left + SIDES[0]][inside] = target[inside]
        shown.append(image)
    return shown


def main(argv: Sequence[str] | None = None) -> dict[int, tuple[float, float]]:
    """Print and return milliseconds of wall-clock and processor time by number of particles."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--particles", type=int, nargs="+", default=list(COUNTS))
    options = parser.parse_args(argv)
    shown, found = pictures(options.repeats + 6), {}
    print(f"load before: {', '.join(f'{value:.1f}' for value in os.getloadavg())} on {os.cpu_count()} cores")
    for count in options.particles:
        target = ParticleFilter(ParticleOptions(particles=count))
        target.start(shown[0], (40, 200, 40 + SIDES[0], 200 + SIDES[1]))
        walls, processors = [], []
        for image in shown[1:]:
            wall, processor = time.perf_counter(), time.process_time()
            target.update(image)
            walls.append(1e3 * (time.perf_counter() - wall))
            processors.append(1e3 * (time.process_time() - processor))
        found[count] = float(np.median(walls[5:])), float(np.median(processors[5:]))
        print(f"{count:6d} particles: {found[count][0]:7.2f} ms, {found[count][1]:7.2f} ms of processor time")
    return found


if __name__ == "__main__":
    main()
