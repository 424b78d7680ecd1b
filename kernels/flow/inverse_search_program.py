"""Dense inverse search from the coarsest level to the last in one compiled program, on CPU threads.

It computes what patch_start, patch_carried, patch_search, patch_densify, variational_images, variational_solve and
flow_upsample compute one after the other, with the same bits, but starts its threads once: a pair has some forty
passes, most of them over images so small that handing them to another thread takes longer than the work.
"""

import math

import numpy as np

from cvseg.kernels.bands import available_share
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.flow.flow_upsample import upsample_rows
from cvseg.kernels.flow.level_arena import level_pitch, level_side, level_start
from cvseg.kernels.flow.patch_carried import carried_rows
from cvseg.kernels.flow.patch_densify import densify_rows
from cvseg.kernels.flow.patch_grid import MARGIN, patch_count, patch_grid
from cvseg.kernels.flow.patch_search import search_rows
from cvseg.kernels.flow.patch_start import start_rows
from cvseg.kernels.flow.pyramid_program import as_pictures, new_arena, pyramid_passes
from cvseg.kernels.flow.variational_rows import refine_rows, refine_scratch, refined_pitch
from cvseg.kernels.recycled import recycled_empty
from cvseg.kernels.team import chunk_done, claim_member, next_chunk, run_team

# Columns of a plan: what to do on a level. STRIDE 0: no patches, the coarser flow is only refined.
STRIDE, ITERATIONS, SPREAD, WARPS, FIXED_POINTS, SWEEPS, HINT, CARRIED = range(8)

# Rows below which a chunk is not worth while: of pixels, of patches, of pixels that need other chunks' rows as well.
LEAST_ROWS, LEAST_PATCH_ROWS, LEAST_REFINED_ROWS = 16, 3, 20


@cpu_kernel(forceinline=True)
def _chunks(members, rows, least):
    """More than threads, so that one which comes late takes fewer; a single one when there is nobody to share with."""
    return max(1, min(3 * members, rows // least)) if members > 1 else 1


@cpu_kernel
def _search_passes(state, members, number, arena0, arena1, shape, plan, level, coarse, carried, patches, flow):
    """Patches from the coarser flow, searched, spread and made dense in `flow`; the number of the next pass."""
    height, width, first, pitch = shape
    planes, coarse_height, coarse_width, coarse_pitch = coarse
    stride, steps, spread = plan[STRIDE], plan[ITERATIONS], plan[SPREAD]
    rows, columns = patch_count(height, stride), patch_count(width, stride)
    count = rows * columns * 2
    start, found = patches[0, :count].reshape((rows, columns, 2)), patches[1, :count].reshape((rows, columns, 2))
    # A start that is its own alternative has none.
    hint = patches[2 if plan[HINT] else 0, :count].reshape((rows, columns, 2))
    chunks = _chunks(members, rows, LEAST_PATCH_ROWS)
    for second in range(2 if spread else 1):
        chunk = next_chunk(state, number, chunks)
        while chunk >= 0:
            a, b = rows * chunk // chunks, rows * (chunk + 1) // chunks
            if second:
                search_rows(a, b, arena0, arena1, first, pitch, found, hint, start, height, width, stride, spread, 1)
            else:
                start_rows(a, b, planes, coarse_height, coarse_width, coarse_pitch, start, height, width, stride)
                if plan[CARRIED] and carried.size:
                    carried_rows(a, b, arena0, arena1, first, pitch, start, carried, height, width, stride, level)
                if plan[HINT]:
                    hint[a:b] = np.float32(0)
                search_rows(a, b, arena0, arena1, first, pitch, start, hint, found, height, width, stride, steps, 0)
            chunk_done(state, number)
            chunk = next_chunk(state, number, chunks)
        number += 1
    result = start if spread else found
    origin = first + MARGIN * pitch + MARGIN
    chunks = _chunks(members, height, LEAST_ROWS)
    chunk = next_chunk(state, number, chunks)
    while chunk >= 0:
        a, b = height * chunk // chunks, height * (chunk + 1) // chunks
        densify_rows(
            a,
            b,
            arena0,
            origin,
            pitch,
            arena1,
            first,
            pitch,
            result,
            flow,
            refined_pitch(width),
            height,
            width,
            stride,
        )
        chunk_done(state, number)
        chunk = next_chunk(state, number, chunks)
    return number + 1


@cpu_kernel
def _upsample_pass(state, members, number, coarse, flow, height, width, pitch, factor, step, to_v):
    planes, coarse_height, coarse_width, coarse_pitch = coarse
    chunks = _chunks(members, height, LEAST_ROWS)
    chunk = next_chunk(state, number, chunks)
    while chunk >= 0:
        a, b = height * chunk // chunks, height * (chunk + 1) // chunks
        upsample_rows(a, b, planes, coarse_height, coarse_width, coarse_pitch, flow, width, pitch, factor, step, to_v)
        chunk_done(state, number)
        chunk = next_chunk(state, number, chunks)
    return number + 1


@cpu_kernel
def _refine_passes(state, members, number, arena0, arena1, shape, plan, flows, current, scratch, weights):
    """Warps and fixed points from ``flows[current]``; the number of the next pass, and where the result is."""
    height, width, first, pitch = shape
    alpha, delta, gamma, omega = weights
    origin = first + MARGIN * pitch + MARGIN
    none = flows[0, :0]
    # A chunk also computes rows of its neighbours: more chunks than threads would cost more than they balance.
    chunks = max(1, min(members, height // LEAST_REFINED_ROWS))
    for _ in range(plan[WARPS]):
        base, flow = current, current
        for step in range(plan[FIXED_POINTS]):
            relaxed = (base + 1) % 3 if flow != (base + 1) % 3 else (base + 2) % 3
            chunk = next_chunk(state, number, chunks)
            while chunk >= 0:
                refine_rows(
                    height * chunk // chunks,
                    height * (chunk + 1) // chunks,
                    none,
                    arena0,
                    origin,
                    pitch,
                    arena1,
                    first,
                    pitch,
                    flows[base],
                    flows[flow],
                    flows[relaxed],
                    step > 0,
                    height,
                    width,
                    plan[SWEEPS],
                    alpha,
                    delta,
                    gamma,
                    omega,
                    scratch,
                )
                chunk_done(state, number)
                chunk = next_chunk(state, number, chunks)
            number += 1
            flow = relaxed
        current = flow
    return number, current


@cpu_kernel
def flow_passes(
    state, members, number, arena0, arena1, size, levels, plan, start, carried, flows, patches, scratch, out, weights
):
    """From pass `number` on; the number of the pass after the last.

    arena0, arena1: the levels from `lowest` on. size: height, width. levels: lowest, coarsest, finest. plan: a row for
    each level. start: flat planes, height and width of the flow of the level above the coarsest. carried: as in
    carried_flow, empty when there is none. flows (3, ...), patches (3, ...), scratch (members, ...): memory.
    out: (height * width * 2). weights: alpha, delta, gamma, omega.
    """
    height, width = size
    lowest, coarsest, finest = levels
    member = claim_member(state)
    planes, coarse_height, coarse_width = start
    coarse = planes, coarse_height, coarse_width, coarse_width
    current = 0
    for level in range(coarsest, finest - 1, -1):
        level_height, level_width = level_side(height, level), level_side(width, level)
        shape = level_height, level_width, level_start(height, width, lowest, level), level_pitch(level_width)
        current = (current + 1) % 3
        pitch = refined_pitch(level_width)
        if plan[level, STRIDE]:
            number = _search_passes(
                state,
                members,
                number,
                arena0,
                arena1,
                shape,
                plan[level],
                level,
                coarse,
                carried,
                patches,
                flows[current],
            )
        else:
            to_v = level_height * pitch
            number = _upsample_pass(
                state, members, number, coarse, flows[current], level_height, level_width, pitch, 2, 1, to_v
            )
        number, current = _refine_passes(
            state, members, number, arena0, arena1, shape, plan[level], flows, current, scratch[member], weights
        )
        coarse = flows[current], level_height, level_width, pitch
    return _upsample_pass(state, members, number, coarse, out, height, width, width, 1 << finest, 2, 1)


@cpu_kernel
def _flow_program(
    state, members, arena0, arena1, size, levels, plan, start, carried, flows, patches, scratch, out, weights
):
    flow_passes(
        state, members, 0, arena0, arena1, size, levels, plan, start, carried, flows, patches, scratch, out, weights
    )


@cpu_kernel
def _pair_program(
    state,
    members,
    pictures0,
    pictures1,
    arena0,
    arena1,
    size,
    levels,
    plan,
    start,
    carried,
    flows,
    patches,
    scratch,
    out,
    weights,
):
    lowest, coarsest = levels[0], levels[1]
    number = pyramid_passes(
        state, members, 0, pictures0, pictures1, True, size[0], size[1], arena0, arena1, lowest, coarsest
    )
    flow_passes(
        state,
        members,
        number,
        arena0,
        arena1,
        size,
        levels,
        plan,
        start,
        carried,
        flows,
        patches,
        scratch,
        out,
        weights,
    )


def _memory(size_hw, levels, plan, coarse_uv, weights, carried=None):
    """Everything `flow_passes` takes after the arenas, the most passes it has, and its result."""
    _, coarsest, finest = levels
    height, width = level_side(size_hw[0], finest), level_side(size_hw[1], finest)
    # Sixteen more than needed, and a lane: the last row is read in whole vectors.
    flows = recycled_empty((3, 2 * height * int(refined_pitch(width)) + 32))
    searched = [level for level in range(finest, coarsest + 1) if plan[level, STRIDE]]
    patches = max(
        math.prod(patch_grid((level_side(size_hw[0], level), level_side(size_hw[1], level)), plan[level, STRIDE]))
        for level in searched
    )
    sweeps = int(plan[finest : coarsest + 1, SWEEPS].max())
    scratch = recycled_empty((available_share(), int(refine_scratch(width, sweeps))))
    if coarse_uv is None:
        coarse_size = level_side(size_hw[0], coarsest + 1), level_side(size_hw[1], coarsest + 1)
        coarse_uv = np.zeros((2, *coarse_size), np.float32)
    out = recycled_empty((*size_hw, 2))
    start = coarse_uv.reshape(-1), *coarse_uv.shape[1:]
    carried = np.empty((0, 0, 2), np.float32) if carried is None else carried
    memory = flows, recycled_empty((3, 2 * patches)), scratch, out.reshape(-1)
    arguments = size_hw, levels, plan, start, carried, *memory, weights
    passes = int((4 + plan[:, WARPS] * plan[:, FIXED_POINTS]).sum()) + 1
    return arguments, passes, out


def flow_of_pyramids(arena0, arena1, size_hw, levels, plan, coarse_uv, weights, carried=None):
    """Flow (H, W, 2) between two images whose pyramids are built.

    levels: (lowest, coarsest, finest); plan: (coarsest + 1, 8) int64; coarse_uv: (2, h, w) flow of the level above the
    coarsest, or None; weights: alpha, delta, gamma, omega as float32; carried: one of the two that carried_flow gives.
    """
    arguments, passes, out = _memory(size_hw, levels, plan, coarse_uv, weights, carried)
    run_team(_flow_program, passes, arena0, arena1, *arguments)
    return out


def flow_of_pictures(picture0, picture1, levels, plan, coarse_uv, weights):
    """The same from two pictures, (H, W, 3) uint8 or (H, W) float32, C-contiguous."""
    size_hw = picture0.shape[:2]
    arenas = [new_arena(size_hw, *levels[:2]) for _ in range(2)]
    arguments, passes, out = _memory(size_hw, levels, plan, coarse_uv, weights)
    pictures = as_pictures(picture0), as_pictures(picture1)
    run_team(_pair_program, passes + levels[1] + 1, *pictures, *arenas, *arguments)
    return out
