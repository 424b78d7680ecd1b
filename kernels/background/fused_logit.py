"""Foreground as a logit: what colours say where the background is trusted, what motion and the last frame say else."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

_HALF, _ONE, _STILL, _TRUST_AGE, _NEAREST, _LIMIT = (np.float32(value) for value in (0.5, 1, 0.4, 2, 0.02, 4))

# Numbers in the order of the kernel's arguments after the arrays; all float32.
SETTINGS = ("threshold", "shadow_weight", "motion_gain", "memory", "blind_memory")


@cpu_kernel
def _logit_rows(first_row, end_row, distance, shade, age, evidence, moved, factor, settings, logit):
    threshold, shadow_weight, gain, memory, blind_memory = settings
    for y in range(first_row, end_row):
        small_y = y // factor
        for x in range(distance.shape[1]):
            small_x = x // factor
            z, shadow, years = distance[y, x] - threshold, shade[y, x], age[0, y, x]
            likely = (_HALF + _HALF * z / np.sqrt(_ONE + z * z)) * (_ONE - shadow_weight * shadow)
            likely = min(max(likely, _NEAREST), _ONE - _NEAREST)
            trust = years / (years + _TRUST_AGE)
            doubt = _ONE - trust
            # What a trusted background explains, in shadow or not, may move as it likes: halos, shadows, reflections.
            moves = evidence[small_y, small_x] * (_ONE - trust * max(shadow, _ONE - likely))
            total = np.log(likely / (_ONE - likely)) * trust + gain * max(moves - _HALF, -_STILL * doubt)
            total += (memory * trust + blind_memory * doubt) * moved[small_y, small_x]
            logit[y, x] = min(max(total, -_LIMIT), _LIMIT)


def _fused_logit_cpu(distance, shade, age, evidence, moved, factor, *settings):
    logit = np.empty_like(distance)
    maps = distance, shade, age, evidence, moved
    run_bands(_logit_rows, distance.shape[0], *maps, factor, settings, logit, least=16)
    return logit


def _fused_logit_cuda(distance, shade, age, evidence, moved, factor, *settings):
    logit = array_module(distance).empty_like(distance)
    _cuda.launch_image(
        "fused_logit",
        distance.shape,
        distance,
        shade,
        age,
        evidence,
        moved,
        factor,
        *settings,
        logit,
        np.int32(distance.shape[0]),
        np.int32(distance.shape[1]),
        np.int32(evidence.shape[1]),
    )
    return logit


def _sample(rng, size_hw):
    distance = rng.gamma(1, 3, size_hw).astype(np.float32)
    shade = rng.choice(np.float32([0, 0, 0.7]), size_hw)
    age = rng.gamma(1, 5, (2, *size_hw)).astype(np.float32)
    small_hw = (-(-size_hw[0] // 2), -(-size_hw[1] // 2))
    evidence, moved = rng.gamma(1, 0.5, small_hw), rng.normal(0, 2, small_hw)
    settings = 3.0, 0.7, 1.5, 0.3, 0.9
    maps = evidence.astype(np.float32), moved.astype(np.float32)
    return distance, shade, age, *maps, np.int32(2), *map(np.float32, settings)


# Logarithms differ in the last bits.
fused_logit = Kernel("fused_logit", cpu=_fused_logit_cpu, cuda=_fused_logit_cuda, sample=_sample, atol=1e-5)
