"""When a part of a motion layer is an object of its own, and when two layers are one object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cvseg.motion.layer_motion import LEAST_NOISE_PX, LEAST_SAMPLES, STEP, LayerMotion, Samples, fit_motion
from cvseg.regions import label_components, region_properties

if TYPE_CHECKING:
    from cvseg.motion.motion_layers import MotionLayer

FLOW_ERROR = 0.12  # of the motion against the camera: the flow's noise grows with it
ODD_NOISE, ODD_PX = 3.5, 0.7  # distance from a layer's motion from which samples may be something else
PART_SHARE = 0.08  # least area of a part, in areas of its layer
PART_FOLLOWERS = 0.6  # of its samples that must follow a part's own motion
OPPOSITE = 0.6  # most that a part's motion against its layer may differ from the reverse of it, forward in time
MOST_PARTS = 3  # of a layer at a time
RATE = 0.2  # how fast the evidence follows the newest frame
GIVEN_UP, PATIENCE = 0.5, 3  # squared noises that a part's motion must be better by, and frames without that
PROOF_FRAMES, PROOF_FRAMES_SMALL = 6, 0  # least age of a part that becomes an object; how much more for a small one
PROOF_GAIN = 5.0
PROOF_SHARE = 0.05
SLIDE_PX = 4.0  # least way that it must have slid along its layer,
SLIDE, SLIDE_SMALL = 0.15, 0.25  # in sizes of both together; and how much more for one of hardly any area
SAME_SLIDE = 0.25  # share of that way below which a part goes with another layer
SAME_GAIN = 0.5  # share of a part's evidence below which another layer explains it as well
QUICK_FRAMES, QUICK_GAIN = 4, 0.1  # and sooner, when an object explains it much better
MERGE_FRAMES, MERGE_GAIN, MERGE_RATE = 8, 1.5, 0.15  # two layers that long explained by one motion are one
STILL_PX = 0.3  # what does not move shows nothing
ALONE = 3  # frames apart that make it certain that two layers are two objects,
FRAGMENT = 0.15  # unless one has less than this share of the area of the other
PIECE_SHARE, PIECE_GAP = 0.25, 0.2  # area and gap, in areas and sizes of the rest, of a piece that may be an object
SPLIT_AFTER = 6  # frames that it must be so
ISLAND = 0.15  # share of its layer up to which a part that is cut off may go to what is around it


@dataclass
class Evidence:
    """Collected over frames, of a part against its layer or of two layers against each other.

    Attributes
    ----------
    frames : seen
    gain : mean of squared noises that its own motion explains better
    slid_xy : (2,) way along the other's border, pixels
    others : number of another layer -> frames, sum of gains over it, and way against it
    """

    frames: int = 0
    gain: float = 0.0
    slid_xy: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    others: dict[int, tuple[int, float, NDArray[np.float64]]] = field(default_factory=dict)


class LayerTables:
    """What the samples of one frame say of all pairs of layers; row and column 0 are unused.

    Attributes
    ----------
    counts : (n + 1,) samples
    centers : (n + 1, 3) 1, x, y of the mean of them
    gains : (n + 1, n + 1) how much better layer i's samples follow their own motion than that of j, in squared noises
    touching : (n + 1, n + 1) pairs of neighbouring samples
    odd : (h, w) bool, samples that do not follow their layer
    """

    def __init__(self, layers: list[MotionLayer], samples: Samples) -> None:
        from cvseg.kernels.motion.layer_tables import layer_tables

        n = len(layers)
        models, scales, limits = np.zeros((n + 1, 12)), np.ones(n + 1), np.ones(n + 1)
        rough = np.bincount(samples.labels.ravel(), minlength=n + 1)
        for k, layer in enumerate(layers, start=1):
            motion = _motion(layer)
            models[k] = *motion.backward.ravel(), *motion.forward.ravel()
            limits[k] = max(ODD_PX, ODD_NOISE * motion.noise_px)
            speed = 0.0
            if rough[k]:
                rows, columns = np.nonzero(samples.labels == k)
                center = np.array([1.0, STEP * columns.mean(), STEP * rows.mean()])
                speed = float(np.hypot(*(motion.relative(samples) @ center)))
            scales[k] = max(motion.noise_px, LEAST_NOISE_PX, FLOW_ERROR * speed)
        sums, counts, center_sums, touching, odd = layer_tables(
            samples.labels, samples.backward_xy, samples.forward_xy, models, scales, limits, STEP
        )
        mean = sums / np.maximum(counts, 1)[:, None]
        self.counts, self.touching, self.odd = counts, touching, odd
        self.centers = np.concatenate([np.ones((n + 1, 1)), center_sums / np.maximum(counts, 1)[:, None]], axis=1)
        self.gains = mean - np.diagonal(mean)[:, None]


def _motion(layer: MotionLayer) -> LayerMotion:
    assert layer.motion is not None
    return layer.motion


def remove_islands(labels: NDArray[np.int32], least: int) -> NDArray[np.int32]:
    """Small parts of a layer that are cut off from the rest of it go to the layer around them.

    Parameters
    ----------
    labels : (h, w) int32
    least : area below which a whole layer goes too
    """
    if labels.max(initial=0) < 2:
        return labels
    parts, count = label_components(labels, 4)
    area = np.bincount(parts.ravel(), minlength=count + 1)
    owner = np.zeros(count + 1, np.int32)
    owner[parts.ravel()] = labels.ravel()
    largest = np.zeros(int(labels.max()) + 1, np.int64)
    np.maximum.at(largest, owner[1:], area[1:])
    small = (area < largest[owner]) & (area < np.maximum(least, ISLAND * largest[owner]))
    small |= (area == largest[owner]) & (area < least // 2)
    small[0] = False
    if not small.any():
        return labels
    first, second = [], []
    for a, b in ((parts[:, 1:], parts[:, :-1]), (parts[1:], parts[:-1])):
        border = (a != b) & (a > 0) & (b > 0) & (small[a] | small[b])
        first += [a[border], b[border]]
        second += [b[border], a[border]]
    inside, around = np.concatenate(first), np.concatenate(second)
    table = owner.copy()
    for part in np.flatnonzero(small)[np.argsort(area[small], kind="stable")]:
        near = table[around[inside == part]]
        near = near[near != owner[part]]
        if near.size:
            table[part] = np.bincount(near).argmax()
    return table[parts]


def find_parts(
    labels: NDArray[np.int32],
    layers: list[MotionLayer],
    samples: Samples,
    tables: LayerTables,
    least: int,
    new_layer: Callable[[MotionLayer], MotionLayer],
) -> NDArray[np.int32]:
    """Mark what moves in one way, but not as its layer does, as parts of it.

    The flow of what is being covered or uncovered is wrong in one direction of time; so a sample that follows its layer
    in either direction is not odd, and a part must move against its layer forward as it does backward.
    """
    odd = _opened(tables.odd)
    if not odd.any():
        return labels
    regions, count = label_components(np.where(odd, labels, 0).astype(np.int32))
    area = np.bincount(regions.ravel(), minlength=count + 1)
    for region in np.argsort(-area[1:], kind="stable") + 1:
        if area[region] < least:
            break
        rows, columns = np.nonzero(regions == region)
        k = int(labels[rows[0], columns[0]])
        layer = layers[k - 1]
        if layer.whole is not None or layer.frames < 1 or area[region] < PART_SHARE * tables.counts[k]:
            continue
        if sum(one.whole is layer for one in layers) >= MOST_PARTS or len(rows) < LEAST_SAMPLES:
            continue
        motion, followers = fit_motion(rows, columns, samples, None)
        center = np.array([1.0, STEP * columns.mean(), STEP * rows.mean()])
        back = (motion.backward - _motion(layer).backward) @ center
        forth = (motion.forward - _motion(layer).forward) @ center
        unlike = np.hypot(*(back + forth)) > OPPOSITE * max(np.hypot(*back), np.hypot(*forth))
        if followers < PART_FOLLOWERS or unlike:
            continue
        part = new_layer(layer)
        part.motion = motion
        part.against_camera = LayerMotion(
            motion.backward - samples.camera_backward, motion.forward - samples.camera_forward, motion.noise_px
        )
        labels = np.where(regions == region, np.int32(len(layers)), labels)
    return labels


def judge_parts(
    labels: NDArray[np.int32], layers: list[MotionLayer], samples: Samples, tables: LayerTables, least: int
) -> NDArray[np.int32]:
    """Parts that have slid along their layer for long enough become objects, or join the one that they move with."""
    place = {layer.number: k for k, layer in enumerate(layers, start=1)}
    for k, part in enumerate(layers, start=1):
        if part.whole is None:
            continue
        whole = part.whole = part.whole.root
        w = place[whole.number]
        if tables.counts[k] < least / 2:
            labels = _given(labels, k, w)
            continue
        seen = part.evidence
        gain = float(tables.gains[k, w])
        seen.frames += 1
        seen.gain = gain if seen.frames == 1 else (1 - RATE) * seen.gain + RATE * gain
        seen.slid_xy = seen.slid_xy + _slide(labels, k, w, _motion(part), _motion(whole))
        for o, other in enumerate(layers, start=1):
            if o not in (k, w):
                frames, total, way = seen.others.get(other.number, (0, 0.0, np.zeros(2)))
                # The smaller one's samples, and its place: a remnant's own motion says little of a whole object.
                small, large = (k, o) if tables.counts[k] <= tables.counts[o] else (o, k)
                step = (_motion(part).backward - _motion(other).backward) @ tables.centers[small]
                seen.others[other.number] = frames + 1, total + float(tables.gains[small, large]), way + step
        joined = _goes_with(part, layers, quick=True)
        family = sum(int(tables.counts[o]) for o, other in enumerate(layers, start=1) if other.root is whole)
        ratio = tables.counts[k] / max(family - int(tables.counts[k]), 1)
        size = STEP * np.sqrt(family)
        small = 1 - min(1.0, 2 * ratio)
        needed = max(SLIDE_PX, size * (SLIDE + SLIDE_SMALL * small))
        proven = (
            ratio >= PROOF_SHARE and seen.gain > PROOF_GAIN and seen.frames >= PROOF_FRAMES + PROOF_FRAMES_SMALL * small
        )
        if joined is not None:
            labels = _given(labels, k, place[joined.number])
        elif seen.gain < GIVEN_UP and seen.frames > PATIENCE:
            labels = _given(labels, k, w)
        elif proven and np.hypot(*seen.slid_xy) > needed:
            joined = _goes_with(part, layers, quick=False)
            if joined is not None:
                labels = _given(labels, k, place[joined.number])
            else:
                part.whole = None
                part.proven = whole.proven = True
    return labels


def judge_pairs(
    labels: NDArray[np.int32],
    layers: list[MotionLayer],
    tables: LayerTables,
    together: dict[tuple[int, int], Evidence],
) -> NDArray[np.int32]:
    """Layers that touch, were never apart, and are explained by one motion for long, are one."""
    for i, j in np.argwhere(np.triu(tables.touching) > 0):
        first, second = layers[i - 1], layers[j - 1]
        if first.whole is not None or second.whole is not None:
            continue
        small, large = (i, j) if tables.counts[i] < tables.counts[j] else (j, i)
        apart = min(first.frames_alone, second.frames_alone) >= ALONE
        if apart and tables.counts[small] > FRAGMENT * tables.counts[large]:
            continue
        center = tables.centers[small]
        ways = [one.against_camera.backward @ center for one in (first, second) if one.against_camera is not None]
        if max(np.hypot(*way) for way in ways) < STILL_PX:
            continue
        seen = together.setdefault((first.number, second.number), Evidence(gain=1.0))
        seen.frames += 1
        seen.gain = (1 - MERGE_RATE) * seen.gain + MERGE_RATE * float(tables.gains[small, large])
        if seen.frames >= MERGE_FRAMES and seen.gain < MERGE_GAIN:
            labels = _given(labels, small, large)
            break  # the tables no longer hold
    return labels


def part_ways(
    labels: NDArray[np.int32], layers: list[MotionLayer], new_layer: Callable[[], MotionLayer]
) -> NDArray[np.int32]:
    """Large pieces of an object that are far from the rest of it for long are objects of their own."""
    place = {layer.number: k for k, layer in enumerate(layers, start=1)}
    roots = np.array([0, *(place[layer.root.number] for layer in layers)], np.int32)
    whole = roots[labels]
    pieces, count = label_components(whole)
    if count < 2:
        return labels
    owner = np.zeros(count + 1, np.int32)
    owner[pieces.ravel()] = whole.ravel()
    table = region_properties(pieces, count=count)
    for k in range(1, len(layers) + 1):
        layer = layers[k - 1]
        own = np.flatnonzero(owner[1:] == k)
        second, main = own[np.argsort(table.area_px[own], kind="stable")][-2:] if len(own) > 1 else (0, 0)
        area = table.area_px[main]
        large = table.area_px[second] >= PIECE_SHARE * area
        a, b = table.box_xyxy[main], table.box_xyxy[second]
        gap_xy = np.maximum(np.maximum(a[:2] - b[2:], b[:2] - a[2:]), 0)
        far = np.hypot(*gap_xy) > PIECE_GAP * np.sqrt(area)
        layer.frames_split = layer.frames_split + 1 if large and far else 0
        if layer.frames_split > SPLIT_AFTER:
            layer.frames_split, layer.proven = 0, True
            new_layer().proven = True
            labels = np.where(pieces == second + 1, np.int32(len(layers)), labels)
    return labels


def _given(labels: NDArray[np.int32], layer: int, to: int) -> NDArray[np.int32]:
    return np.where(labels == layer, np.int32(to), labels)


def _goes_with(part: MotionLayer, layers: list[MotionLayer], *, quick: bool) -> MotionLayer | None:
    """The other layer that explains a part nearly as well as its own motion does."""
    seen = part.evidence
    if quick and seen.gain <= 1:
        return None
    frames_needed = QUICK_FRAMES if quick else PROOF_FRAMES
    best: tuple[float, MotionLayer] | None = None
    for other in layers:
        frames, total, way = seen.others.get(other.number, (0, 0.0, np.zeros(2)))
        if frames < frames_needed or (quick and other.whole is not None):
            continue
        if not quick and np.hypot(*way) >= SAME_SLIDE * np.hypot(*seen.slid_xy):
            continue
        if best is None or total / frames < best[0]:
            best = total / frames, other
    most = QUICK_GAIN * seen.gain if quick else max(SAME_GAIN * seen.gain, 0.5 * SAME_GAIN)
    return best[1] if best is not None and best[0] < most else None


def _slide(
    labels: NDArray[np.int32], part: int, whole: int, own: LayerMotion, other: LayerMotion
) -> NDArray[np.float64]:
    """(2,) pixels that a part moves along its layer, where along their border it moves least: at the joint of a limb
    that is nothing."""
    inside, outside = labels == part, labels == whole
    touch = np.zeros(labels.shape, bool)
    touch[:, 1:] |= inside[:, 1:] & outside[:, :-1]
    touch[:, :-1] |= inside[:, :-1] & outside[:, 1:]
    touch[1:] |= inside[1:] & outside[:-1]
    touch[:-1] |= inside[:-1] & outside[1:]
    rows, columns = np.nonzero(touch)
    if len(rows) < 3:
        rows, columns = np.nonzero(inside)
    points = np.stack([np.ones(len(rows)), STEP * columns, STEP * rows], axis=1)
    moved = points @ (own.backward - other.backward).T
    least = np.argsort((moved**2).sum(1), kind="stable")[: max(1, len(moved) // 4)]
    return np.asarray(moved[least].mean(0))


def _opened(mask: Any) -> NDArray[np.bool_]:
    """Opening by 3 x 3: the flow is uncertain along outlines, which are thin."""
    padded = np.pad(mask, 1)
    rows = padded[:-2] & padded[1:-1] & padded[2:]
    eroded = np.pad(rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:], 1)
    rows = eroded[:-2] | eroded[1:-1] | eroded[2:]
    return np.asarray(rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:])
