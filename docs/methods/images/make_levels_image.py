"""Makes the picture on the page of object levels: `python docs/methods/images/make_levels_image.py`."""

from __future__ import annotations

import dataclasses

import numpy as np
from make_images import SIZE_HW, gray, outlined, row, save
from PIL import Image, ImageDraw

from cvseg.motion import NonlocalConsensus, motion_seeds
from cvseg.motion.object_cells import object_cells
from cvseg.motion.stable_components import CellGraph, stable_components
from cvseg.objects import WorkFrames
from cvseg.synthetic import SCENES, render_clip

SCENE, FRAMES, SHOWN = "demo", 40, 20
COLORS = np.uint8([[255, 220, 0], [0, 200, 255], [255, 110, 180], [120, 230, 90], [255, 150, 60], [170, 140, 255]])


def window_of(clip):
    """Votes of the whole clip as one window, what moves in it, and of the shown frame the picture and the cells."""
    works, consensus = WorkFrames("cpu", SIZE_HW[0], "balanced"), NonlocalConsensus()
    done = [work for frame in clip.frames() for work in works.push(frame)]
    decided = []
    for work in [*done, *works.finish()]:
        found = motion_seeds(work.forward_xy, work.backward_xy, work.lab, work.camera_forward, work.camera_backward)
        decided += consensus.push(work.lab, found, work.arrival_xy, work.backward_xy, work.image)
    decided += consensus.finish()
    ring, options = consensus.ring, consensus.options
    votes = ring.vote(ring.arrays["seeds"], ring.where, ring.scale(), options.restart, options.rounds)[ring.where]
    low, high = np.percentile(votes, [50, 99])
    stretched = np.clip((votes - low) / max(high - low, options.least_contrast), 0, 1).astype(np.float32)
    return stretched.reshape(-1, *ring.cells_yx), consensus.motion.window(), decided[SHOWN]


def colored(numbers, levels, cells):
    """Each component in a colour of its own, with its level written on it."""
    per_pixel = numbers.reshape(-1)[cells]
    picture = Image.fromarray(np.where((per_pixel >= 0)[..., None], COLORS[per_pixel % len(COLORS)], np.uint8(40)))
    draw = ImageDraw.Draw(picture)
    for number in np.unique(numbers[numbers >= 0]):
        y, x = (int(np.median(place)) for place in np.nonzero(per_pixel == number))
        draw.text((x, y), f"{levels[number]:.3f}".rstrip("0"), fill=(0, 0, 0), anchor="mm")
    return np.asarray(picture)


def object_levels():
    """Above: the true objects, the votes. Below: components with their levels, the decision in both looks."""
    clip = render_clip(dataclasses.replace(SCENES[SCENE], size_hw=SIZE_HW, frames=FRAMES))
    votes, window, shown = window_of(clip)
    found = stable_components(votes, CellGraph.of_window(window.areas, window.residuals, window.links))
    decided = object_cells(votes, window)
    for k, score in enumerate(found.score / max(found.score)):
        taken = "taken" if decided.inside[found.of_cell == k].mean() > 0.5 else "dropped"
        numbers = (
            f"level {found.level[k]:.3f}, score {score:.3f}, fall {found.fall[k]:.3f}, residual {found.motion[k]:.1f}"
        )
        print(f"component {k}: {numbers}, {taken}")
    base = found.level[np.argmax(found.score)]
    cells, truth = shown.cells, clip[SHOWN].labels > 0
    at_once = votes[SHOWN] > base
    inside = decided.inside[SHOWN]
    kinds = np.where(inside, np.where(at_once, 0, 1), -1).reshape(-1)[cells]
    looks = np.where((kinds >= 0)[..., None], COLORS[kinds], (shown.payload * np.float32(0.4)).astype(np.uint8))
    components = colored(found.of_cell[SHOWN], found.level, cells)
    save(
        [
            row([outlined(shown.payload, truth), gray(votes[SHOWN].reshape(-1)[cells])]),
            row([components, looks]),
        ],
        "object_levels.jpg",
    )


if __name__ == "__main__":
    object_levels()
