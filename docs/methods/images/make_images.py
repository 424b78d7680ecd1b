"""Makes the pictures of failures on the pages of methods: `python docs/methods/images/make_images.py`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from PIL import Image

from cvseg.motion import NonlocalConsensus, motion_saliency_map, motion_seeds
from cvseg.objects import WorkFrames
from cvseg.synthetic import SCENES, render_clip

HERE = Path(__file__).resolve().parent
SIZE_HW = (180, 320)
GAP = 6


def completed(clip):
    """Each frame with its flow and camera motion, and its motion saliency."""
    works = WorkFrames("cpu", SIZE_HW[0], "quality")
    done = [work for frame in clip.frames() for work in works.push(frame)]
    for work in [*done, *works.finish()]:
        cameras = work.camera_forward, work.camera_backward
        yield work, motion_saliency_map(work.forward_xy, work.backward_xy, *cameras)


def outlined(image, mask):
    """The picture with the true objects' border in yellow."""
    inner = mask.copy()
    for axis in (0, 1):
        for shift in (-1, 1):
            inner &= np.roll(mask, shift, axis)
    return np.where((mask & ~inner)[..., None], np.uint8([255, 220, 0]), image)


def gray(values):
    """0 black, 1 white."""
    return np.repeat((np.clip(values, 0, 1) * 255).astype(np.uint8)[..., None], 3, axis=2)


def row(panels):
    bar = np.full((SIZE_HW[0], GAP, 3), 255, np.uint8)
    return np.hstack([part for panel in panels for part in (panel, bar)][:-1])


def save(rows, name):
    bar = np.full((GAP, rows[0].shape[1], 3), 255, np.uint8)
    picture = np.vstack([part for one in rows for part in (one, bar)][:-1])
    Image.fromarray(picture).save(HERE / name, quality=80, optimize=True)


def camera_motion():
    """Parallax: what stands nearer than the background moves against the one motion that was fitted."""
    clip = render_clip(dataclasses.replace(SCENES["parallax"], size_hw=SIZE_HW, frames=24, parallax=1.5))
    work, saliency = list(completed(clip))[12]
    truth = clip[12].labels > 0
    save([row([outlined(work.image, truth), gray(saliency.saliency / saliency.full)])], "camera_motion.jpg")


def nonlocal_consensus(shown=(12, 24, 36)):
    """Objects that rest longer than the votes reach: before, at the beginning, and in the middle of the rest."""
    clip = render_clip(dataclasses.replace(SCENES["stop_and_go"], size_hw=SIZE_HW, frames=60))
    consensus = NonlocalConsensus()
    decided, seeds = [], []
    for work, _ in completed(clip):
        cameras = work.camera_forward, work.camera_backward
        found = motion_seeds(work.forward_xy, work.backward_xy, work.lab, *cameras)
        seeds.append(gray(found.seed))
        decided += consensus.push(work.lab, found, work.arrival_xy, work.backward_xy, work)
    decided += consensus.finish()
    rows = []
    for number in shown:
        votes = decided[number]
        steps = votes.votes.reshape(-1)[votes.cells]
        picture = outlined(votes.payload.image, clip[number].labels > 0)
        rows.append(row([picture, seeds[number], outlined(gray(steps), steps > 0.5)]))
    save(rows, "nonlocal_consensus_2014.jpg")


if __name__ == "__main__":
    camera_motion()
    nonlocal_consensus()
