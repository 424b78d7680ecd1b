"""How much the options of the camera motion and of the non-local consensus matter, one at a time, on rendered scenes.

python benchmarks/accuracy/motion_plateaus.py [--scenes crossing zoom] [--frames 40]

Camera: mean distance, in pixels, of the four corners from where the true flow of the background puts them. Consensus:
mean Jaccard index of the cells above the threshold, before colours and edges, against the true mask.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from cvseg.evaluation import region_similarity
from cvseg.motion import (
    CameraMotionOptions,
    ConsensusOptions,
    NonlocalConsensus,
    estimate_camera_motion,
)
from cvseg.motion.motion_seeds import MotionSeeds, motion_seeds
from cvseg.objects import WorkFrames
from cvseg.synthetic import SCENES, render_clip

SIZE_HW = (120, 214)
SCENE_NAMES = ("crossing", "zoom", "rotate", "parallax", "stop_and_go", "noise")
CAMERA = {
    "model": ("affine", "homography"),
    "samples": (300, 1000, 3000, 10000),
    "iterations": (3, 6, 12, 24),
    "noise_floor_px": (0.05, 0.15, 0.5),
    "ring": (0.0, 0.075, 0.2),
}
CONSENSUS = {
    "cell": (4, 6, 8, 12),
    "reach": (5, 10, 15, 25),
    "step": (1, 2, 3, 5),
    "rounds": (10, 20, 40, 80),
    "restart": (0.02, 0.05, 0.1, 0.2, 0.4),
    "link_share": (0.0, 0.05, 0.09, 0.2, 0.4),
    "compactness": (5.0, 10.0, 15.0, 25.0),
    "opinions": (1, 2, 3),
    "least_contrast": (0.1, 0.2, 0.3),
}


@dataclass(frozen=True)
class Shown:
    """One frame, what is known of it, and its true camera motion and mask."""

    lab: Any
    forward_xy: Any
    backward_xy: Any
    arrival_xy: Any
    seeds: MotionSeeds
    true_camera: np.ndarray
    truth: np.ndarray


def frames_of(name: str, count: int) -> list[Shown]:
    clip = render_clip(replace(SCENES[name], size_hw=SIZE_HW, frames=count))
    works = WorkFrames("cpu", SIZE_HW[0], "balanced")
    done = [work for frame in clip.frames() for work in works.push(frame)]
    shown = []
    for work in [*done, *works.finish()]:
        true = clip[work.frame.index]
        background_xy = np.where((true.labels == 0)[..., None], true.flow_xy, np.float32(np.nan))
        cameras = work.camera_forward, work.camera_backward
        seeds = motion_seeds(work.forward_xy, work.backward_xy, work.lab, *cameras)
        camera = estimate_camera_motion(background_xy, CameraMotionOptions(samples=20000)).matrix
        flows = work.forward_xy, work.backward_xy, work.arrival_xy
        shown.append(Shown(work.lab, *flows, seeds, camera, true.labels > 0))
    return shown


def corners(matrix: np.ndarray) -> np.ndarray:
    height, width = SIZE_HW
    moved = matrix @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])
    return moved[:2] / moved[2]


def camera_error_px(shown: list[Shown], options: CameraMotionOptions) -> float:
    # The last frame has no next one: its flow leads back.
    found = [corners(estimate_camera_motion(frame.forward_xy, options).matrix) for frame in shown[:-1]]
    wanted = [corners(frame.true_camera) for frame in shown[:-1]]
    return float(np.linalg.norm(np.array(found) - np.array(wanted), axis=1).mean())


def consensus_similarity(shown: list[Shown], options: ConsensusOptions) -> float:
    consensus: NonlocalConsensus[np.ndarray] = NonlocalConsensus(options)
    decided = []
    for frame in shown:
        decided += consensus.push(frame.lab, frame.seeds, frame.arrival_xy, frame.backward_xy, frame.truth)
    decided += consensus.finish()
    return float(np.mean([region_similarity(v.votes.reshape(-1)[v.cells] > 0.5, v.payload) for v in decided]))


def main(argv: Sequence[str] | None = None) -> None:
    """Print a line per option: each value and its mean over the scenes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scenes", nargs="+", choices=list(SCENES), default=list(SCENE_NAMES))
    parser.add_argument("--frames", type=int, default=40)
    arguments = parser.parse_args(argv)
    scenes = [frames_of(name, arguments.frames) for name in arguments.scenes]
    for title, table, make, score in (
        ("camera, pixels", CAMERA, CameraMotionOptions, camera_error_px),
        ("consensus, J", CONSENSUS, ConsensusOptions, consensus_similarity),
    ):
        print(title)
        for name, values in table.items():
            means = [np.mean([score(shown, make(**{name: value})) for shown in scenes]) for value in values]
            print(f"  {name:16}", "  ".join(f"{v}: {m:.3f}" for v, m in zip(values, means, strict=True)), flush=True)


if __name__ == "__main__":
    main()
