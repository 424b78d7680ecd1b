"""What each part of the automatic segmentation is worth: J and F without it.

python benchmarks/accuracy/ablation.py [--preset balanced] [--frames 50] [--variants "no colours"] [--json FILE]

Every variant changes a few options and nothing else; the flow of every clip is computed once. Means over the DAVIS
sequences, over swapped objects and rendered scenes, and J of every sequence.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from measuring import environment, print_row, rounded, write_record
from settings_runner import chosen_clips, clips_parser, means, require_known, score_settings, with_values

from cvseg.motion.motion_seeds import MAP_NAMES
from cvseg.pipeline import PRESETS


def _without_cue(cue: str) -> dict[str, Any]:
    return {"automatic.cues": tuple(name for name in MAP_NAMES if name != cue)}


VARIANTS: dict[str, dict[str, Any]] = {
    "everything": {},
    **{f"no {cue} seed": _without_cue(cue) for cue in MAP_NAMES},
    **{f"{cue} seed alone": {"automatic.cues": (cue,)} for cue in ("residual", "barrier", "inside", "outliers")},
    # A restart of 1 gives the mean seed of each cell, whatever the others say.
    "no votes": {"automatic.consensus.restart": 1.0, "automatic.consensus.rounds": 1},
    "votes of neighbour frames only": {"automatic.consensus.reach": 1},
    "three opinions": {"automatic.consensus.opinions": 3},
    "no touching cells": {"automatic.consensus.link_share": 0.0},
    "square cells": {"automatic.consensus.cell_rounds": 0},
    "no colours": {"automatic.cut.color_share": 0.0},
    "colours of one frame": {"automatic.cut.colors.reach": 0, "automatic.cut.colors.rest": 0.0},
    "no averaging along the flow": {"automatic.cut.flow_share": 0.0},
    "no cut, each pixel alone": {"automatic.cut.contrast": 0.0},
    "cut blind to edges": {"automatic.cut.floor": 1.0},
    "no limit around the votes": {"automatic.cut.margin_px": 10_000.0},
    "outline at work size": {"automatic.fine_outline": False},
    "water and smoke may be objects": {"automatic.consensus.objects.most_unexplained": 1.0},
    "the clearest object alone": {"automatic.consensus.objects.least_clearness": 1.0},
    "nothing too faint": {"automatic.consensus.objects.least_strength": 0.0},
    "no memory of what rests": {"automatic.consensus.memory_frames": 1.0},
    "no background model": {"automatic.camera": "moving"},
    "no region clean-up": {"min_area": 0.0, "hole_area": 0.0},
}


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the variants. Returns what `--json` writes."""
    parser = clips_parser(__doc__, frames=50)
    parser.add_argument("--variants", nargs="+", metavar="NAME", default=list(VARIANTS), help="default: all")
    arguments = parser.parse_args(argv)
    require_known(arguments.variants, list(VARIANTS))
    options = PRESETS[arguments.preset]

    scores: dict[str, dict[str, dict[str, float]]] = {name: {} for name in arguments.variants}
    kinds: dict[str, str] = {}
    for clip in chosen_clips(arguments):
        kinds[clip.name] = clip.kind
        for name in arguments.variants:
            scores[name][clip.name] = score_settings(clip, with_values(options, VARIANTS[name]))
        print(clip.name, file=sys.stderr, flush=True)

    variants = {name: {**means(found, kinds), "clips": found} for name, found in scores.items()}
    columns = [(kind, letter) for kind in dict.fromkeys(kinds.values()) for letter in "JF"]
    shown = [name for name, kind in kinds.items() if kind == "davis"]
    widths = (30, *(8 for _ in columns), *(max(6, len(name)) for name in shown))
    print_row(("variant", *(f"{kind} {letter}" for kind, letter in columns), *shown), widths)
    for name, found in variants.items():
        figures = (found[kind][letter] for kind, letter in columns)
        print_row((name, *figures, *(found["clips"][clip]["J"] for clip in shown)), widths)
    record = rounded(
        {
            "benchmark": "ablation of the automatic segmentation",
            "preset": arguments.preset,
            "frames": arguments.frames,
            "clips": kinds,
            "variants": {name: {"options": VARIANTS[name], **found} for name, found in variants.items()},
            **environment(),
        }
    )
    write_record(arguments.json, record)
    return record


if __name__ == "__main__":
    main()
