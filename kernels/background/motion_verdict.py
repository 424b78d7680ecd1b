"""Whether a pixel moves against the camera: what its errors, its way and its way back say together."""

import numpy as np

from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

_ZERO, _ONE, _TWO, _LEAST, _BEND = (np.float32(value) for value in (0, 1, 2, 0.01, 0.15))

# Numbers in the order of the kernel's arguments after the arrays; all float32.
SETTINGS = ("per_error", "per_pixel", "slack", "along_share", "along_slack", "along_scale")


@cpu_kernel
def _verdict_rows(first_row, end_row, squares, away_xy, round_trip, shorter_xy, settings, most):
    per_error, per_pixel, slack, along_share, along_slack, along_scale = settings
    width = squares.shape[2]
    for y in range(first_row, end_row):
        for x in range(width):
            dx, dy = away_xy[y, x, 0], away_xy[y, x, 1]
            away = np.sqrt(dx * dx + dy * dy)
            still, moving = squares[0, y, x], squares[1, y, x]
            evidence = min((still - moving) / (moving + _ONE) * per_error, away * per_pixel)
            back = _TWO - round_trip[y, x] / (away * _BEND + slack)
            evidence *= min(max(back, _ZERO), _ONE)
            along = (shorter_xy[y, x, 0] * dx + shorter_xy[y, x, 1] * dy) / max(away, _LEAST)
            same = (along - (away * along_share - along_slack)) * along_scale
            evidence *= min(max(same, _ZERO), _ONE)
            if evidence > most[0, y, x]:
                length = min(evidence, _ONE) / max(away, _LEAST)
                most[0, y, x], most[1, y, x], most[2, y, x] = evidence, dx * length, dy * length


def _motion_verdict_cpu(squares, away_xy, round_trip, shorter_xy, most, *settings):
    maps = squares, away_xy, round_trip, shorter_xy
    run_bands(_verdict_rows, round_trip.shape[0], *maps, settings, most, least=24)
    return most


def _motion_verdict_cuda(squares, away_xy, round_trip, shorter_xy, most, *settings):
    count, maps = round_trip.size, (squares, away_xy, round_trip, shorter_xy)
    _cuda.launch_linear("motion_verdict", count, *maps, most, *settings, np.int32(count))
    return most


def _sample(rng, size_hw):
    squares = rng.gamma(1, 6, (2, *size_hw)).astype(np.float32)
    away_xy, noise_xy = (rng.normal(0, 2, (*size_hw, 2)).astype(np.float32) for _ in range(2))
    round_trip = rng.gamma(1, 0.5, size_hw).astype(np.float32)
    most = np.stack([rng.gamma(1, 0.2, size_hw), np.zeros(size_hw), np.ones(size_hw)]).astype(np.float32)
    settings = 2.0, 0.5, 0.3, 0.125, 0.3, 5.0
    return squares, away_xy, round_trip, away_xy / 2 + noise_xy, most, *map(np.float32, settings)


# The same float32 operations in the same order; a division or root may round differently on some GPUs, and then
# another time may win by a hair.
motion_verdict = Kernel(
    "motion_verdict", cpu=_motion_verdict_cpu, cuda=_motion_verdict_cuda, sample=_sample, atol=1e-4, mismatch=1e-3
)
