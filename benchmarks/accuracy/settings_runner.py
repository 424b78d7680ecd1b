"""Runs the automatic segmentation with many settings on clips whose flow is computed once."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from davis import data_folder
from numpy.typing import NDArray
from swapped_actors import Stage
from variations import Clip, read_clip

from cvseg.errors import OptionError, nearest_name
from cvseg.evaluation import boundary_accuracy, region_similarity
from cvseg.objects import WorkFrame
from cvseg.options import Options
from cvseg.pipeline import PRESETS, Pipeline, PipelineOptions
from cvseg.records import Frame
from cvseg.synthetic import SUITE, render_clip

# One of each kind of the suite, with cameras that stand and that move.
SCENE_NAMES = (
    "crossing",
    "stop_and_go",
    "occluder_pan",
    "caption_followed",
    "shadow_handheld",
    "water_pan",
    "noise_handheld",
    "fast_and_slow_handheld",
    "small_object_handheld",
    "large_object_handheld",
    "parallax_handheld",
    "crowd_pan",
)
SCENE_SIZE_HW = (240, 427)


@dataclass(frozen=True)
class PreparedClip:
    """A clip with what does not depend on the settings that are swept.

    Attributes
    ----------
    name : sequence or scene
    kind : "davis", "swapped" or "scene"
    works : frames with flow and camera motion
    truths : (H, W) bool, one a frame
    """

    name: str
    kind: str
    works: list[WorkFrame]
    truths: list[NDArray[np.bool_]]


def clips_parser(description: str, *, frames: int) -> argparse.ArgumentParser:
    """The arguments that choose clips, the preset and where the record goes; `frames` is the default of one of them."""
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("--preset", choices=list(PRESETS), default="balanced")
    parser.add_argument("--sequences", nargs="*", metavar="NAME", help="of DAVIS; default: all")
    parser.add_argument("--no-swapped", action="store_true", help="leave out the clips of swapped_actors.py")
    parser.add_argument("--scenes", nargs="*", metavar="NAME", default=list(SCENE_NAMES))
    parser.add_argument("--frames", type=int, default=frames, help="the first ones of each clip")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser


def require_known(names: Sequence[str], known: Sequence[str]) -> None:
    """End with a sentence where one of the names is unknown."""
    for name in names:
        if name not in known:
            raise SystemExit(f"unknown name {name!r}; {nearest_name(name, known)}")


def chosen_clips(arguments: argparse.Namespace) -> Iterator[PreparedClip]:
    """The clips that the arguments of `clips_parser` name, one after the other, so that one at a time is in memory.

    On the scene of each sequence the object of the next but one plays too. Rendered scenes have `SCENE_SIZE_HW`; flow
    and work size are those of the preset.
    """
    folder, frames, options = data_folder() / "DAVIS2016", arguments.frames, PRESETS[arguments.preset]
    require_known(arguments.scenes, list(SUITE))
    sequences = arguments.sequences
    if sequences is None:
        sequences = sorted(path.name for path in (folder / "Annotations" / "480p").glob("*"))
    if not [*sequences, *arguments.scenes]:
        raise SystemExit("no clip; name a scene or a sequence.")

    def read(name: str) -> Clip:
        clip = read_clip(folder / "JPEGImages" / "480p" / name, folder / "Annotations" / "480p" / name)
        return replace(clip, images=clip.images[:frames], truths=clip.truths[:frames])

    for k, name in enumerate(sequences):
        clips = [(name, "davis", read(name))]
        if len(sequences) > 1 and not arguments.no_swapped:
            swapped = Stage(clips[0][2]).with_actor(read(sequences[(k + 2) % len(sequences)]))
            clips.append((swapped.name, "swapped", swapped))
        for shown, kind, clip in clips:
            yield prepared(shown, kind, clip.frames(), list(clip.truths), options)
    for name in arguments.scenes:
        scene = render_clip(replace(SUITE[name], size_hw=SCENE_SIZE_HW, frames=frames))
        truths = [frame.labels > 0 for frame in scene]
        yield prepared(name, "scene", list(scene.frames()), truths, options)


def prepared(
    name: str, kind: str, frames: Sequence[Frame], truths: list[NDArray[np.bool_]], options: PipelineOptions
) -> PreparedClip:
    works = list(Pipeline(options, device="cpu").motion_frames(frames))
    return PreparedClip(name, kind, works, truths)


def score_settings(clip: PreparedClip, options: PipelineOptions) -> dict[str, float]:
    """Mean J and F over the frames but the first and the last, as DAVIS counts."""
    scores = []
    for result in Pipeline(options, device="cpu").segment_frames(clip.works):
        index = result.frame.index
        if 0 < index < len(clip.truths) - 1:
            mask = np.asarray(result.labels) > 0
            truth = clip.truths[index]
            scores.append((region_similarity(mask, truth), boundary_accuracy(mask, truth)))
    j, f = np.mean(scores, axis=0)
    return {"J": float(j), "F": float(f)}


def with_values(options: PipelineOptions, values: Mapping[str, Any]) -> PipelineOptions:
    """Options with some values exchanged, named as ``automatic.cut.contrast``.

    Raises
    ------
    OptionError
    """
    for path, value in values.items():
        nested: Any = value
        for name in reversed(path.split(".")):
            nested = {name: nested}
        options = options.replaced(nested)
    return options


def value_of(options: Options, path: str) -> Any:
    """What an option, named as ``automatic.cut.contrast``, is set to.

    Raises
    ------
    OptionError
    """
    value: Any = options
    for name in path.split("."):
        if not isinstance(value, Options) or not hasattr(value, name):
            raise OptionError(f"{path}: {type(value).__name__} has no option {name!r}.")
        value = getattr(value, name)
    return value


def means(scores: Mapping[str, Mapping[str, float]], kinds: Mapping[str, str]) -> dict[str, Any]:
    """Mean J and F of each kind of clips, and the lowest J of all with its clip."""
    found: dict[str, Any] = {}
    for kind in dict.fromkeys(kinds.values()):
        of_kind = [score for name, score in scores.items() if kinds[name] == kind]
        found[kind] = {letter: float(np.mean([score[letter] for score in of_kind])) for letter in "JF"}
    name = min(scores, key=lambda name: scores[name]["J"])
    found["lowest"] = {"clip": name, "J": scores[name]["J"]}
    return found
