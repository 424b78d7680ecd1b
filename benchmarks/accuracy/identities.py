"""Do objects keep their numbers? Generated scenes with exact identities: occlusions of up to 2 s, and crossings.

python benchmarks/accuracy/identities.py [--scenes 100] [--kinds hidden crossing] [--plain] [--boxes] [--failures]

Shapes with a colour and a texture move over a noisy ground: straight or in curves, each at its own speed, past
occluders, behind which some pause or turn back, and in front of each other. The tracker is given what a perfect but
ignorant segmenter gives: the components of all visible pixels together, so that objects which touch are one component.
Frames are taken at 25 per second. With --plain the tracker sees no colours; with --boxes the box tracker is given the
boxes of the visible parts, without those that are mostly hidden.

hidden: an object that was seen for at least 10 frames, then not at all for 1 to 50, then again for at least 10, has
returned when it has its number again in most of these 10. crossing: two objects of different colour that were apart,
touched or covered each other and are apart again have kept their numbers when both have.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

SIZE_HW = (180, 420)
SIGHT = 10  # frames seen before and after
LONGEST = 50  # frames: 2 s
COLORS = np.array(
    [
        (205, 40, 40),
        (40, 150, 50),
        (45, 70, 205),
        (215, 195, 40),
        (190, 50, 190),
        (40, 190, 195),
        (240, 240, 240),
        (25, 25, 30),
    ],
    np.float32,
)


@dataclass(frozen=True, eq=False)
class Target:
    """One object.

    Attributes
    ----------
    path_xy : (frames, 2) centre
    half_wh : half of its sides
    round_ : an ellipse, else a rectangle
    color, stripe : RGB, and RGB of its stripes
    """

    path_xy: NDArray[np.float64]
    half_wh: tuple[float, float]
    round_: bool
    color: NDArray[np.float32]
    stripe: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Scene:
    """A scene: what moves, back to front, and what stands before it.

    Attributes
    ----------
    targets : back to front
    occluders : (left, right) columns in front of everything
    seed : it was made from
    """

    targets: list[Target]
    occluders: list[tuple[int, int]]
    seed: int
    frames: int


def make_scene(kind: str, seed: int) -> Scene:
    """A random scene of a kind, "hidden" or "crossing"."""
    rng = np.random.default_rng([seed, {"hidden": 0, "crossing": 1}[kind]])
    return _hidden(rng, seed) if kind == "hidden" else _crossing(rng, seed)


def _look(
    rng: np.random.Generator, used: list[int], alike: bool
) -> tuple[bool, NDArray[np.float32], NDArray[np.float32]]:
    free = [i for i in range(len(COLORS)) if i not in used]
    number = used[0] if alike and used else int(rng.choice(free))
    used.append(number)
    color = COLORS[number]
    return bool(rng.integers(2)), color, color * np.float32(0.75) + np.float32(rng.uniform(0, 40))


def _hidden(rng: np.random.Generator, seed: int) -> Scene:
    height, width = SIZE_HW
    count = int(rng.integers(1, 5))
    alike = bool(rng.integers(2))
    sides = [(rng.uniform(7, 16), rng.uniform(8, 20)) for _ in range(count)]
    hidden = rng.uniform(3, LONGEST - 2)
    pause = hidden * rng.uniform(0, 0.7) if rng.random() < 0.4 else 0.0
    speed = rng.uniform(0.8, 4.0)
    gap = float(np.clip(2 * sides[0][0] + speed * (hidden - pause), 2 * sides[0][0] + 4, 150))
    middle = width / 2 + rng.uniform(-20, 20)
    left, right = int(middle - gap / 2), int(middle + gap / 2)
    used: list[int] = []
    targets, frames = [], 0
    for i, half in enumerate(sides):
        if i:
            # As fast as needed to be out of sight for 2 s at most, and its pause in what is left.
            least = max((right - left - 2 * half[0]) / (LONGEST - 4), 0.5)
            speed = rng.uniform(least, max(4.0, 1.3 * least))
            room = LONGEST - 3 - max(right - left - 2 * half[0], 0) / speed
            pause = room * rng.uniform(0, 1) if rng.random() < 0.4 else 0.0
        lead = rng.uniform(22, 45)
        start = left - half[0] - 1 - speed * lead
        behind = max((right - left) / speed, 1)
        turn = rng.random() < 0.1
        late = rng.uniform(0, 30)
        t = np.arange(260) - late
        inside = lead + behind / 2
        walked = np.where(t < inside, t, np.maximum(inside, t - pause)) * speed
        if turn:
            walked = np.where(walked > inside * speed, 2 * inside * speed - walked, walked)
        x = start + walked
        sway = rng.uniform(5, 22) if rng.random() < 0.5 else 0.0
        phase, length = rng.uniform(0, 6.28), rng.uniform(90, 260)
        slope = rng.uniform(-0.12, 0.12)
        y = height / 2 + rng.uniform(-55, 55) + sway * np.sin(walked / length * 6.28 + phase) + slope * (x - middle)
        if rng.random() < 0.5:
            x = 2 * middle - x
        round_, color, stripe = _look(rng, used, alike)
        targets.append(Target(np.stack([x, y], 1), half, round_, color, stripe))
        frames = max(frames, int(late + lead + behind + pause + 34))
    return Scene(targets, [(left, right)], seed, min(frames, 260))


def _crossing(rng: np.random.Generator, seed: int) -> Scene:
    height, width = SIZE_HW
    count = 2 if rng.random() < 0.75 else 3
    meet, used = rng.uniform(40, 60), []
    place = np.array([width / 2 + rng.uniform(-30, 30), height / 2 + rng.uniform(-20, 20)])
    stop = rng.uniform(0, 25) if rng.random() < 0.3 else 0.0
    back = rng.random() < 0.3
    targets = []
    angles = rng.uniform(0, 6.28) + np.array([0.0, np.pi + rng.uniform(-1.2, 1.2), rng.uniform(1.2, 2.0)])
    for i in range(count):
        half = (rng.uniform(8, 18), rng.uniform(8, 22))
        speed = rng.uniform(0.9, 3.2)
        heading = np.array([np.cos(angles[i]), 0.4 * np.sin(angles[i])])
        heading /= np.abs(heading).max()
        if i and rng.random() < 0.2:  # overtaking
            heading = np.abs(heading) * np.sign(targets[0].path_xy[-1] - targets[0].path_xy[0])
            speed += 1.2
        t = np.arange(150.0) - meet
        away = np.where(t < 0, t, np.maximum(t - stop, 0)) * speed
        if back:
            away = -np.abs(away)
        sway = rng.uniform(4, 14) if rng.random() < 0.4 else 0.0
        curve = sway * np.sin(away / rng.uniform(60, 160) * 6.28)[:, None] * np.array([-heading[1], heading[0]])
        path = place + rng.uniform(-6, 6, 2) + away[:, None] * heading + curve
        round_, color, stripe = _look(rng, used, False)
        targets.append(Target(path, half, round_, color, stripe))
    return Scene(targets, [], seed, int(min(meet * 2 + stop + 5, 150)))


def render(scene: Scene) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int32]]]:
    """Pictures (H, W, 3) uint8 and true numbers (H, W) int32 of the visible pixels, from 1."""
    rng = np.random.default_rng([scene.seed, 9])
    height, width = SIZE_HW
    y, x = np.mgrid[:height, :width].astype(np.float32)
    ground = (110 + 0.1 * x[..., None] + 20 * np.sin(y / 17)[..., None] + np.float32([6, 0, -6])).astype(np.float32)
    for frame in range(scene.frames):
        image, labels = ground.copy(), np.zeros(SIZE_HW, np.int32)
        for number, target in enumerate(scene.targets, 1):
            phase = rng.uniform(0, 6.28)
            (cx, cy), (half_w, half_h) = target.path_xy[frame], target.half_wh
            left, right = (int(np.clip(cx + side * (half_w + 3), 0, width)) for side in (-1.1, 1.1))
            top, bottom = (int(np.clip(cy + side * (half_h + 3), 0, height)) for side in (-1.1, 1.1))
            part = slice(top, bottom), slice(left, right)
            dx, dy = (x[part] - cx) / half_w, (y[part] - cy) / half_h
            # A wobbling edge: no segmenter draws the same outline twice.
            edge = 1 + 0.06 * np.sin(7 * np.arctan2(dy, dx) + phase)
            inside = (np.hypot(dx, dy) < edge) if target.round_ else (np.maximum(abs(dx), abs(dy)) < edge)
            image[part][inside] = target.color
            image[part][inside & (np.sin(6 * dy) > 0.4)] = target.stripe
            labels[part][inside] = number
        for left, right in scene.occluders:
            image[:, left:right] = np.float32([96, 78, 60])
            labels[:, left:right] = 0
        image += 5 * rng.standard_normal(image.shape, np.float32)
        yield np.clip(image, 0, 255).astype(np.uint8), labels


@dataclass
class Identities:
    """What happened to the objects of one scene.

    Attributes
    ----------
    hidden : (target, first hidden frame, frames hidden, returned) of every occlusion
    crossing : (target, other, first frame together, frames together, kept) of every crossing
    """

    hidden: list[tuple[int, int, int, bool]] = field(default_factory=list)
    crossing: list[tuple[int, int, int, int, bool]] = field(default_factory=list)


def follow_masks(scene: Scene, *, colors: bool = True, options: Any = None) -> tuple[Any, Any, Any]:
    """Number of every target in every frame, and what of them is seen.

    Returns
    -------
    numbers : (frames, targets) 0 where it has none
    pixels : (frames, targets) visible
    shared : (frames, targets, targets) whether two are in one component
    """
    from cvseg.regions import label_components
    from cvseg.tracking import Tracker, TrackerOptions

    tracker = Tracker(options or TrackerOptions())
    held: list[Any] = []
    numbers, pixels, shared = [], [], []
    truths: list[NDArray[np.int32]] = []
    count = len(scene.targets)

    def read(tracked: Any, truth: NDArray[np.int32]) -> None:
        found = np.asarray(tracked.labels)
        row = np.zeros(count, np.int64)
        for i in range(count):
            own = found[truth == i + 1]
            if own.size:
                votes = np.bincount(own)
                best = int(votes.argmax())
                row[i] = best if 2 * votes[best] > own.size else 0
        numbers.append(row)

    for t, (image, truth) in enumerate(render(scene)):
        components, number = label_components(truth > 0)
        joint = np.zeros((count + 1, number + 1), bool)
        joint[truth.ravel(), components.ravel()] = True
        joint = joint[1:, 1:]
        shared.append((joint[:, None] & joint[None]).any(2))
        pixels.append(np.bincount(truth.ravel(), minlength=count + 1)[1:])
        held.append(tracker.update(t, components, image=image if colors else None))
        truths.append(truth)
        if len(held) >= tracker.options.min_hits:
            read(held.pop(0), truths.pop(0))
    while held:
        read(held.pop(0), truths.pop(0))
    return np.array(numbers), np.array(pixels), np.array(shared)


def follow_boxes(scene: Scene, *, colors: bool = True, options: Any = None) -> tuple[Any, Any, Any]:
    """As `follow_masks`, of the box tracker, which is given the boxes of what is visible."""
    from cvseg.formats import TrackTable
    from cvseg.tracking import track_boxes
    from cvseg.tracking.association import box_iou

    images, pixels = [], []
    count = len(scene.targets)
    full = np.zeros(count)
    rows = []
    for t, (image, truth) in enumerate(render(scene)):
        images.append(image)
        area = np.bincount(truth.ravel(), minlength=count + 1)[1:]
        pixels.append(area)
        full = np.maximum(full, area)
        for i in np.flatnonzero(area):
            down, right = np.nonzero(truth == i + 1)
            rows.append((t, i, right.min(), down.min(), right.max() + 1, down.max() + 1, area[i]))
    table = np.array([row for row in rows if row[6] >= 0.4 * full[row[1]]], float)
    rng = np.random.default_rng([scene.seed, 5])
    frames, truth_of = table[:, 0].astype(np.int32), table[:, 1].astype(int)
    boxes = table[:, 2:6] + rng.normal(0, 0.6, (len(table), 4))
    given = TrackTable(frames, -np.ones(len(table), np.int32), boxes, np.ones(len(table)), -np.ones((len(table), 3)))
    tracks = track_boxes(given, options, frames=(lambda t: images[t]) if colors else None)
    numbers = np.zeros((scene.frames, count), np.int64)
    for t in range(scene.frames):
        own, found = np.flatnonzero(frames == t), np.flatnonzero(tracks.frames == t)
        if len(own) and len(found):
            overlap = box_iou(boxes[own], tracks.boxes_xyxy[found])
            for row, i in enumerate(truth_of[own]):
                best = int(overlap[row].argmax())
                if overlap[row, best] > 0.4:
                    numbers[t, i] = tracks.ids[found[best]]
    near = np.zeros((scene.frames, count, count), bool)
    for t in range(scene.frames):
        own = np.flatnonzero(frames == t)
        near[t][np.ix_(truth_of[own], truth_of[own])] = box_iou(boxes[own], boxes[own]) > 0
    return numbers, np.array(pixels), near


def judge(scene: Scene, numbers: Any, pixels: Any, shared: Any) -> Identities:
    """Find all occlusions and crossings, and what became of the numbers."""
    found = Identities()
    full = np.array([4 * t.half_wh[0] * t.half_wh[1] * (np.pi / 4 if t.round_ else 1) for t in scene.targets])
    count = len(scene.targets)
    alone = np.array([[shared[t, i].sum() <= 1 for i in range(count)] for t in range(len(pixels))])
    clear = (pixels > 0.9 * full) & alone
    for i in range(count):
        unseen = pixels[:, i] == 0
        edges = np.flatnonzero(np.diff(np.r_[0, unseen, 0]))
        for begin, end in edges.reshape(-1, 2):
            before, after = _clear_before(clear[:, i], begin), _clear_after(clear[:, i], end)
            if end - begin > LONGEST or before is None or after is None:
                continue
            found.hidden.append((i, int(begin), int(end - begin), _same(numbers[:, i], numbers, i, before, after)))
        for j in range(i + 1, count):
            if np.array_equal(scene.targets[i].color, scene.targets[j].color) or scene.occluders:
                continue
            together = shared[:, i, j] | (pixels[:, i] == 0) | (pixels[:, j] == 0)
            edges = np.flatnonzero(np.diff(np.r_[0, together, 0]))
            for begin, end in edges.reshape(-1, 2):
                sights = [(_clear_before(clear[:, k], begin), _clear_after(clear[:, k], end)) for k in (i, j)]
                if any(before is None or after is None for before, after in sights):
                    continue
                kept = all(_same(numbers[:, k], numbers, k, *sight) for k, sight in zip((i, j), sights, strict=True))
                found.crossing.append((i, j, int(begin), int(end - begin), kept))
    return found


def _clear_before(clear: Any, begin: int) -> slice | None:
    """The last `SIGHT` clear frames before one, if they stand in a row and not long before."""
    for end in range(begin, max(begin - 60, SIGHT) - 1, -1):
        if clear[end - SIGHT : end].all():
            return slice(end - SIGHT, end)
    return None


def _clear_after(clear: Any, end: int) -> slice | None:
    for begin in range(end, min(end + 60, len(clear) - SIGHT) + 1):
        if clear[begin : begin + SIGHT].all():
            return slice(begin, begin + SIGHT)
    return None


def _same(own: Any, numbers: Any, i: int, before: slice, after: slice) -> bool:
    old, new = (int(np.bincount(own[part]).argmax()) for part in (before, after))
    return old > 0 and old == new


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=100, help="of each kind")
    parser.add_argument("--first", type=int, default=0, help="seed of the first one")
    parser.add_argument("--kinds", nargs="+", default=["hidden", "crossing"], choices=["hidden", "crossing"])
    parser.add_argument("--plain", action="store_true", help="without colours")
    parser.add_argument("--boxes", action="store_true", help="measure the box tracker")
    parser.add_argument("--failures", action="store_true", help="print every failure")
    arguments = parser.parse_args()
    follow = follow_boxes if arguments.boxes else follow_masks
    for kind in arguments.kinds:
        events: list[bool] = []
        for seed in range(arguments.first, arguments.first + arguments.scenes):
            scene = make_scene(kind, seed)
            found = judge(scene, *follow(scene, colors=not arguments.plain))
            outcomes = found.hidden if kind == "hidden" else found.crossing
            events += [bool(outcome[-1]) for outcome in outcomes]
            for outcome in outcomes:
                if arguments.failures and not outcome[-1]:
                    print(f"  {kind} scene {seed}: {outcome}")
        what = "returned with their number" if kind == "hidden" else "kept their numbers"
        print(f"{kind}: {sum(events)} of {len(events)} {what} ({100 * np.mean(events):.1f} %)", flush=True)


if __name__ == "__main__":
    main()
