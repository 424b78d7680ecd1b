"""Clips that nobody tuned to: the object of one DAVIS sequence plays on the scene of another, each on each.

python benchmarks/accuracy/swapped_actors.py [--preset balanced] [--stages kite-surf] [--json FILE] [--overlays DIR]

The object of the scene is taken away and filled from the frames before and after, along the motion of its camera; the
object of the other sequence is put in its place, with its own outline, colours and changes of shape, on the path and at
about the size of the one it replaces. What the old object left stays: wakes, reflections, shadows and smoke, which are
no object. Where something stood before an object, a part of it is missing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from clip_scores import confidence_correlation, mean_of, score_clip
from davis import data_folder
from measuring import Segment, environment, print_row, rounded, write_record
from overlay_sheet import OverlaySheet
from variations import Clip, read_clip

from cvseg.errors import nearest_name
from cvseg.flow import estimate_flow
from cvseg.motion import CameraMotionOptions, estimate_camera_motion

TAKEN_PX = 9  # around the object: its blurred outline, and some of its shadow
SCALES = (0.6, 1.7)  # of the new object
SMOOTH_FRAMES = 5
EDGE_PX = 0.8  # blur of the new object's outline


class Stage:
    """A clip without its object.

    Attributes
    ----------
    clip : the clip, its truths those of the object that was taken away
    """

    def __init__(self, clip: Clip) -> None:
        from scipy.ndimage import binary_dilation

        holes = [binary_dilation(truth, iterations=TAKEN_PX) for truth in clip.truths]
        self.clip = replace(clip, images=_filled(list(clip.images), holes))

    def with_actor(self, actor: Clip) -> Clip:
        """The object of `actor` in place of the one that was taken away; as long as the shorter of both."""
        count = min(len(actor.images), len(self.clip.images))
        own, new = (np.array([truth.sum() for truth in clip.truths[:count]]) for clip in (self.clip, actor))
        seen = (own > 0) & (new > 0)
        scale = float(np.clip(np.sqrt(own[seen].mean() / new[seen].mean()), *SCALES))
        path = _path(self.clip, count) - scale * _path(actor, count)
        images, truths = [], []
        for k in range(count):
            share, moved = _placed(actor.images[k], actor.truths[k], scale, path[k], self.clip.truths[0].shape)
            image = self.clip.images[k] * (1 - share[..., None]) + moved * share[..., None]
            images.append(np.clip(np.rint(image), 0, 255).astype(np.uint8))
            truths.append(share >= 0.5)
        return Clip(f"{actor.name} on {self.clip.name}", images, truths, self.clip.rate)


def _path(clip: Clip, count: int) -> NDArray[np.float64]:
    """(count, 2): centre of the object as x, y, smoothed; where it is not seen, that of the nearest frame."""
    centres = np.full((count, 2), np.nan)
    for k, truth in enumerate(clip.truths[:count]):
        if truth.any():
            rows, columns = np.nonzero(truth)
            centres[k] = columns.mean(), rows.mean()
    seen = np.flatnonzero(~np.isnan(centres[:, 0]))
    centres = np.stack([np.interp(np.arange(count), seen, centres[seen, axis]) for axis in (0, 1)], axis=1)
    half = SMOOTH_FRAMES // 2
    padded = np.pad(centres, ((half, half), (0, 0)), mode="edge")
    return np.stack([padded[k : k + SMOOTH_FRAMES].mean(axis=0) for k in range(count)])


def _placed(
    image: NDArray[np.uint8],
    truth: NDArray[np.bool_],
    scale: float,
    shift_xy: NDArray[np.float64],
    size_hw: tuple[int, ...],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Share of each pixel that the object covers, (H, W) float32, and its colours, (H, W, 3) float32."""
    from PIL import Image
    from scipy.ndimage import gaussian_filter

    matrix = (1 / scale, 0, -shift_xy[0] / scale, 0, 1 / scale, -shift_xy[1] / scale)
    size = size_hw[1], size_hw[0]
    affine, resample = Image.Transform.AFFINE, Image.Resampling.BICUBIC
    moved = np.asarray(Image.fromarray(image).transform(size, affine, matrix, resample), np.float32)
    mask = Image.fromarray(truth.astype(np.uint8) * 255).transform(size, affine, matrix, Image.Resampling.BILINEAR)
    return gaussian_filter(np.asarray(mask, np.float32) / 255, EDGE_PX), moved


def _filled(images: list[NDArray[np.uint8]], holes: list[NDArray[np.bool_]]) -> list[NDArray[np.uint8]]:
    """Holes filled from the nearest frames in which they are seen; what is seen in none, from around it."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates

    steps = _camera_steps(images, holes)
    height, width = holes[0].shape
    done = []
    for t, hole in enumerate(holes):
        rows, columns = np.nonzero(hole)
        points = np.stack([columns, rows, np.ones(rows.size)])
        values, open_ = np.zeros((rows.size, 3)), np.ones(rows.size, np.bool_)
        way = {-1: np.eye(3), 1: np.eye(3)}
        for away in range(1, len(images)):
            for side in (-1, 1):
                other = t + side * away
                if not 0 <= other < len(images):
                    continue
                step = steps[other - 1] if side > 0 else np.linalg.inv(steps[other])
                way[side] = step @ way[side]
                x, y, z = way[side] @ points
                x, y = x / z, y / z
                inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1) & open_
                places = np.flatnonzero(inside)
                near = np.rint(y[places]).astype(int), np.rint(x[places]).astype(int)
                places = places[~holes[other][near]]
                for channel in range(3):
                    values[places, channel] = map_coordinates(
                        images[other][..., channel].astype(np.float32), (y[places], x[places]), order=1, mode="nearest"
                    )
                open_[places] = False
            if not open_.any():
                break
        image = images[t].astype(np.float64)
        image[rows, columns] = values
        if open_.any():
            unknown = np.zeros(hole.shape, np.bool_)
            unknown[rows[open_], columns[open_]] = True
            nearest = distance_transform_edt(unknown, return_distances=False, return_indices=True)
            spread = gaussian_filter(image[tuple(nearest)], (3, 3, 0))
            image[unknown] = spread[unknown]
        # Across the border of the hole both pictures fade into each other.
        share = np.clip(gaussian_filter(hole.astype(np.float64), 2) * 2 - 0.5, 0, 1)[..., None] * hole[..., None]
        soft = share * image + (1 - share) * images[t]
        done.append(np.clip(np.rint(soft), 0, 255).astype(np.uint8))
    return done


def _camera_steps(images: list[NDArray[np.uint8]], holes: list[NDArray[np.bool_]]) -> list[NDArray[np.float64]]:
    """(3, 3) from each frame to the next, by the flow outside the holes."""
    steps = []
    options = CameraMotionOptions(model="homography")
    for (before, after), hole in zip(pairwise(images), holes, strict=False):
        flow: Any = estimate_flow(before, after).copy()
        flow[hole] = np.nan
        steps.append(estimate_camera_motion(flow, options).matrix)
    return steps


def main(argv: Sequence[str] | None = None, segment: Segment | None = None) -> dict[str, Any]:
    """Run the benchmark; `segment` stands in for `cvseg.segment`. Returns what `--json` writes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--stages", nargs="+", metavar="NAME", help="sequences whose scene is taken; default: all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    parser.add_argument("--overlays", type=Path, metavar="DIR", help="write a sheet of pictures per clip")
    options = parser.parse_args(argv)
    if segment is None:
        import cvseg

        segment = cvseg.segment
    folder = data_folder() / "DAVIS2016"
    names = sorted(path.name for path in (folder / "Annotations" / "480p").glob("*"))
    if len(names) < 2:
        raise SystemExit(f"swapped_actors.py: {len(names)} sequences in {folder}; two are needed to swap.")
    for name in options.stages or ():
        if name not in names:
            raise SystemExit(f"swapped_actors.py: no sequence {name!r}; {nearest_name(name, names)}")
    clips = [read_clip(folder / "JPEGImages" / "480p" / name, folder / "Annotations" / "480p" / name) for name in names]
    widths = (16, *(max(8, len(name)) for name in names), 8)
    print("J of the object of each column on the scene of each row")
    print_row(("scene", *names, "mean"), widths)
    runs: dict[str, dict[str, Any]] = {}
    for clip in clips:
        if options.stages and clip.name not in options.stages:
            continue
        stage = Stage(clip)
        runs[clip.name] = {}
        for actor in clips:
            if actor is clip:
                continue
            swapped = stage.with_actor(actor)
            frames = swapped.frames()
            masks = {frame.name: truth for frame, truth in zip(frames, swapped.truths, strict=True)}
            sheet = OverlaySheet(
                list(masks), options.overlays and options.overlays / f"{actor.name}_on_{clip.name}.jpg"
            )
            runs[clip.name][actor.name] = score_clip(
                frames, masks, segment, look=sheet.add, preset=options.preset, device=options.device
            )
            sheet.save()
        found = {name: score["J"]["mean"] for name, score in runs[clip.name].items()}
        print_row(
            (clip.name, *(found.get(name, float("nan")) for name in names), mean_of(list(found.values()))), widths
        )
    flat = [(score["J"]["mean"], actor, stage) for stage, found in runs.items() for actor, score in found.items()]
    mean = {letter: mean_of([s[letter]["mean"] for found in runs.values() for s in found.values()]) for letter in "JF"}
    lowest = min(flat)
    print(
        f"\nmean J {mean['J']:.3f}, mean F {mean['F']:.3f} of {len(flat)} clips; "
        f"lowest {lowest[1]} on {lowest[2]} {lowest[0]:.3f}"
    )
    correlation = confidence_correlation([score for found in runs.values() for score in found.values()])
    if correlation is not None:
        print(f"confidence against J: Pearson {correlation['pearson']:.3f}, Spearman {correlation['spearman']:.3f}")
    record = rounded(
        {
            "benchmark": "DAVIS 2016 with swapped objects, 480p",
            "settings": {"preset": options.preset, "device": options.device},
            "runs": runs,
            "mean": mean,
            "lowest": {"J": lowest[0], "actor": lowest[1], "stage": lowest[2]},
            "confidence": correlation,
            **environment(),
        }
    )
    write_record(options.json, record)
    return record


if __name__ == "__main__":
    main()
