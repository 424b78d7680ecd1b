"""How much the options of the automatic segmentation matter, one at a time: is each default on a plateau or a peak?

python benchmarks/accuracy/automatic_plateaus.py [--preset balanced] [--options automatic.cut.contrast] [--frames 30]
    [--json FILE] [--picture FILE.svg]

Each option is set to factors of its default while the others keep theirs. The flow of every clip is computed once.
Prints mean J over the DAVIS sequences, swapped objects and rendered scenes for every value; the picture has a curve
per option.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from measuring import environment, rounded, write_record
from plateau_picture import draw_plateaus
from settings_runner import (
    chosen_clips,
    clips_parser,
    means,
    require_known,
    score_settings,
    value_of,
    with_values,
)

from cvseg.errors import OptionError
from cvseg.pipeline import PRESETS, PipelineOptions

WIDE = (0.25, 0.5, 1, 2, 4)
NARROW = (0.5, 0.71, 1, 1.41, 2)
SWEEPS: dict[str, tuple[float, ...]] = {
    "automatic.consensus.cell": (0.63, 0.75, 1, 1.25, 1.5),
    "automatic.consensus.reach": (0.34, 0.67, 1, 1.34, 2),
    "automatic.consensus.rounds": WIDE,
    "automatic.consensus.restart": WIDE,
    "automatic.consensus.link_share": WIDE,
    "automatic.consensus.compactness": NARROW,
    "automatic.consensus.least_contrast": NARROW,
    "automatic.consensus.memory_frames": WIDE,
    "automatic.consensus.objects.least_strength": NARROW,
    "automatic.consensus.objects.most_unexplained": NARROW,
    "automatic.consensus.objects.least_clearness": WIDE,
    "automatic.consensus.objects.area_share": WIDE,
    "automatic.consensus.objects.motion_share": NARROW,
    "automatic.consensus.objects.certain_motion": NARROW,
    "automatic.consensus.objects.score.steepness": (0.64, 0.8, 1, 1.25, 1.6),
    "automatic.consensus.objects.score.fall": NARROW,
    "automatic.cut.color_share": WIDE,
    "automatic.cut.flow_share": WIDE,
    "automatic.cut.margin_px": WIDE,
    "automatic.cut.contrast": WIDE,
    "automatic.cut.floor": WIDE,
    "automatic.cut.colors.reach": WIDE,
    "automatic.cut.colors.near_px": WIDE,
    "automatic.cut.colors.rest": WIDE,
    "automatic.cut.colors.prior_px": WIDE,
}


def values_around(options: PipelineOptions, path: str) -> list[Any]:
    """The values of one sweep that the option takes, smallest first; its default is one of them."""
    default = value_of(options, path)
    values = {default}
    for factor in SWEEPS[path]:
        value = round(default * factor) if isinstance(default, int) else round(default * factor, 6)
        try:
            with_values(options, {path: value})
        except OptionError:  # beyond its range
            continue
        values.add(value)
    return sorted(values)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the sweeps. Returns what `--json` writes."""
    parser = clips_parser(__doc__, frames=30)
    parser.add_argument("--options", nargs="+", metavar="NAME", default=list(SWEEPS))
    parser.add_argument("--picture", type=Path, metavar="FILE.svg")
    arguments = parser.parse_args(argv)
    require_known(arguments.options, list(SWEEPS))
    options = PRESETS[arguments.preset]
    settings = [(path, value) for path in arguments.options for value in values_around(options, path)]

    # One clip at a time stays in memory; the default, which every sweep has, is run once.
    scores: dict[tuple[str, Any], dict[str, dict[str, float]]] = {setting: {} for setting in settings}
    kinds: dict[str, str] = {}
    for clip in chosen_clips(arguments):
        kinds[clip.name] = clip.kind
        usual = score_settings(clip, options)
        for path, value in settings:
            is_usual = value == value_of(options, path)
            score = usual if is_usual else score_settings(clip, with_values(options, {path: value}))
            scores[path, value][clip.name] = score
        print(f"{clip.name}: J {usual['J']:.3f} F {usual['F']:.3f}", file=sys.stderr, flush=True)

    sweeps: dict[str, Any] = {}
    for path in arguments.options:
        values = values_around(options, path)
        rows = [{"value": value, **means(scores[path, value], kinds), "clips": scores[path, value]} for value in values]
        sweeps[path] = {"default": value_of(options, path), "values": rows}
        print(f"{path} (default {value_of(options, path)})")
        for row in rows:
            figures = "  ".join(f"{kind} {row[kind]['J']:.3f}" for kind in ("davis", "swapped", "scene") if kind in row)
            print(f"  {row['value']:<10g} {figures}  lowest {row['lowest']['J']:.3f} {row['lowest']['clip']}")
    record = rounded(
        {
            "benchmark": "plateaus of the automatic segmentation",
            "preset": arguments.preset,
            "frames": arguments.frames,
            "clips": kinds,
            "sweeps": sweeps,
            **environment(),
        }
    )
    write_record(arguments.json, record)
    if arguments.picture:
        arguments.picture.parent.mkdir(parents=True, exist_ok=True)
        arguments.picture.write_text(draw_plateaus(record["sweeps"]), encoding="utf-8")
    return record


if __name__ == "__main__":
    main()
