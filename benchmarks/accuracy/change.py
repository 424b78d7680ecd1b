"""Background models, ours and OpenCV's, on CDnet 2014, SBI2015 and UCSD's set in one run: F1, precision, recall, time.

python benchmarks/accuracy/change.py [--method NAME ...] [--baselines NAME ...] [--sequences PART ...]
                                     [--option METHOD.KEY=VALUE ...] [--train-share 0.3333] [--no-times] [--json FILE]
                                     [--pictures DIR]

A method is a key of `cvseg.background.BACKGROUND_METHODS`, a baseline one of
`cvseg.baselines.BASELINE_BACKGROUND_METHODS`; "none" leaves the baselines out. Every model sees all frames in order
and learns from all of them; the first third is not scored. Counts are those of `cvseg evaluate change`: per sequence
from the sums over its frames, labels 85 and 170 and what lies outside ROI.bmp left out, 50 counts as background. A
set's row is the mean of its sequences. "bar" is our first method against the better of MOG2 and KNN.

Times: all models take each frame in turn, so that a busy machine slows all of them. "frames/s", "of MOG2" and "CPU of"
(processor time, all threads added up) come from medians over the frames that are scored. OpenCV runs with as many
threads as cvseg, but GSOC and LSBP with one. The data are found by CVSEG_DATA, else in ../shared/data.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from measuring import ROOT, environment, print_row, rounded, write_record

from cvseg.background import BACKGROUND_METHODS, background_model
from cvseg.baselines import BASELINE_BACKGROUND_METHODS
from cvseg.errors import MissingExtraError
from cvseg.evaluation.change_accuracy import MOVING, OUTSIDE, UNKNOWN, ChangeCounts, change_counts, change_score
from cvseg.evaluation.mask_picture import mask_picture
from cvseg.evaluation.numbered_files import numbered_files
from cvseg.formats.cdnet import read_change_labels, read_region_of_interest, read_temporal_region
from cvseg.kernels.bands import thread_count
from cvseg.video.still_image import IMAGE_SUFFIXES, read_image

SETS = ("CDnet2014", "SBI2015", "UCSD_background")
FRAMES = ("input", "in")
BETTER_OF = ("opencv_mog2", "opencv_knn")
REFERENCE = "opencv_mog2"
NO_BASELINE = "none"
WARM_UP = 24  # frames: every branch of a model is compiled
PICTURES = 5  # per sequence, with --pictures
EMPTY = 1e-9  # keeps a third of 30 frames from being 9

Update = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class ChangeSequence:
    """One sequence: pictures and truths by frame number, and which pixels and frames count."""

    name: str
    frames: dict[int, Path]
    truths: dict[int, Path]
    roi: np.ndarray | None
    region: tuple[int, int] | None


def find_sequences(folder: Path) -> list[ChangeSequence]:
    """All sequences of the three sets below `folder`, sorted by name."""
    found = []
    for part in SETS:
        places = sorted(path.parent for path in (folder / part).glob("**/groundtruth") if path.is_dir())
        for place in places:
            pictures = next((place / name for name in FRAMES if (place / name).is_dir()), None)
            if pictures is None:
                continue
            truths = numbered_files(place / "groundtruth", {".png"})
            region = place / "temporalROI.txt"
            found.append(
                ChangeSequence(
                    name=place.relative_to(folder).as_posix(),
                    frames=numbered_files(pictures, IMAGE_SUFFIXES),
                    truths=truths,
                    roi=_roi(place / "ROI.bmp", read_change_labels(next(iter(truths.values()))).shape),
                    region=read_temporal_region(region) if region.is_file() else None,
                )
            )
    return found


def _roi(path: Path, size_hw: tuple[int, ...]) -> np.ndarray | None:
    """The region of interest, unless there is none, it has another size, or is black everywhere."""
    if not path.is_file():
        return None
    roi = read_region_of_interest(path)
    return roi if roi.shape == size_hw and roi.any() else None


def chosen_methods(
    methods: Sequence[str], baselines: Sequence[str], settings: Sequence[str] = ()
) -> tuple[dict[str, Callable[[], Update]], dict[str, str]]:
    """Makers of fresh models by label, and the reasons why baselines are left out."""
    makers: dict[str, Callable[[], Update]] = {}
    missing: dict[str, str] = {}
    for name in methods:
        makers[name] = _ours(name, _values(name, settings))
    for name in baselines:
        try:
            BASELINE_BACKGROUND_METHODS[name]()
        except MissingExtraError as error:
            missing[name] = str(error)
        else:
            makers[name] = lambda name=name: BASELINE_BACKGROUND_METHODS[name]().update
    if "cv2" in sys.modules and hasattr(sys.modules["cv2"], "setNumThreads"):
        sys.modules["cv2"].setNumThreads(thread_count())
    return makers, missing


def _values(method: str, settings: Sequence[str]) -> dict[str, Any]:
    """``method.key=value`` as a table for the options of `method`; ``method.a.b=value`` reaches into nested ones."""
    values: dict[str, Any] = {}
    for setting in settings:
        key, sign, text = setting.partition("=")
        words = key.split(".")
        if not sign or len(words) < 2 or words[0] not in BACKGROUND_METHODS:
            raise SystemExit(f"change.py: --option is {setting!r}; expected METHOD.KEY=VALUE.")
        if words[0] != method:
            continue
        table = values
        for word in words[1:-1]:
            table = table.setdefault(word, {})
        try:
            table[words[-1]] = json.loads(text)
        except ValueError:
            table[words[-1]] = text
    return values


def _ours(name: str, values: dict[str, Any]) -> Callable[[], Update]:
    options = BACKGROUND_METHODS[name].options().replaced(values)

    def make() -> Update:
        model = background_model(name, options)
        return lambda image: mask_of(model.update(image))

    return make


def mask_of(result: Any) -> np.ndarray:
    """The mask that a model gives, or, where it gives none, what is more likely than not."""
    mask = getattr(result, "mask", None)
    if mask is None:
        return np.asarray(result.foreground) >= 0.5
    return np.asarray(mask) > 0


def warm_up(makers: dict[str, Callable[[], Update]]) -> None:
    """Compile everything, so that no sequence pays for it."""
    rng = np.random.default_rng(0)
    ground = rng.integers(0, 255, (72, 96, 3), np.uint8)
    for make in makers.values():
        update = make()
        for index in range(WARM_UP):
            image = ground.copy()
            image[20:40, 2 * index : 2 * index + 20] = 255 - image[20:40, 2 * index : 2 * index + 20]
            update(image)


def measure(
    sequence: ChangeSequence, makers: dict[str, Callable[[], Update]], train_share: float, pictures: Path | None = None
) -> dict[str, dict[str, float]]:
    """F1, precision, recall and times of every method on one sequence.

    Returns
    -------
    dict by method : f1, precision, recall, ms, cpu_ms (medians of one frame), frames (scored), and the four counts
    """
    first, last = sequence.region or (0, max(sequence.truths))
    inside = [number for number in sequence.truths if first <= number <= last]
    scored = set(inside[math.floor(train_share * len(inside) + EMPTY) :])
    shown = set(np.array(sorted(scored))[np.linspace(0, len(scored) - 1, PICTURES).round().astype(int)].tolist())
    updates = {name: make() for name, make in makers.items()}
    counts = dict.fromkeys(makers, ChangeCounts())
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in makers}
    drawn: list[list[np.ndarray]] = []
    for number, path in sequence.frames.items():
        image = read_image(path)
        truth = read_change_labels(sequence.truths[number]) if number in scored else None
        row = []
        for name, update in updates.items():
            began = time.perf_counter(), time.process_time()
            mask = update(image)
            times[name].append((time.perf_counter() - began[0], time.process_time() - began[1]))
            if truth is None:
                continue
            counts[name] += change_counts(mask, truth, sequence.roi)
            if pictures is not None and number in shown:
                void = (truth == UNKNOWN) | (truth == OUTSIDE)
                void |= False if sequence.roi is None else ~sequence.roi
                row.append(mask_picture(mask, truth == MOVING, void, image))
        if row:
            drawn.append([image, *row])
    if pictures is not None:
        _save(drawn, pictures / f"{sequence.name.replace('/', '-')}.jpg")
    return {name: _row(counts[name], times[name], len(scored)) for name in makers}


def _row(counts: ChangeCounts, times: list[tuple[float, float]], frames: int) -> dict[str, float]:
    score = change_score(counts)
    # The first third is left out of the times as well: models do other work while they fill.
    wall, cpu = np.median(np.array(times)[len(times) // 3 :], axis=0) * 1000
    return {
        "f1": score.f_measure,
        "precision": score.precision,
        "recall": score.recall,
        "frames": frames,
        "ms": float(wall),
        "cpu_ms": float(cpu),
        "true_positives": counts.true_positives,
        "false_positives": counts.false_positives,
        "false_negatives": counts.false_negatives,
        "true_negatives": counts.true_negatives,
    }


def _save(rows: list[list[np.ndarray]], path: Path) -> None:
    """A sheet: a row per frame, the frame itself and then one column per method."""
    from PIL import Image

    sheet = np.concatenate([np.concatenate(row, axis=1) for row in rows])
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(path, quality=88)


def means(results: dict[str, dict[str, dict[str, float]]], methods: Sequence[str]) -> dict[str, Any]:
    """Means of each set over its sequences, of all sets, and how far our method lies from the bar."""
    parts: dict[str, list[str]] = {}
    for name in results:
        parts.setdefault(name.split("/")[0], []).append(name)
    found: dict[str, Any] = {}
    for part, names in parts.items():
        found[part] = {
            method: {
                key: float(np.mean([results[name][method][key] for name in names]))
                for key in ("f1", "precision", "recall")
            }
            for method in methods
        }
    found["all sets"] = {
        method: {key: float(np.mean([found[part][method][key] for part in parts])) for key in ("f1",)}
        for method in methods
    }
    return found


def speeds(results: dict[str, dict[str, dict[str, float]]], methods: Sequence[str]) -> dict[str, dict[str, float]]:
    """Frames per second, and time as a multiple of MOG2's: means over the sequences of wall and processor time."""
    table, rows = {}, list(results.values())
    for method in methods:
        table[method] = {
            "frames_per_s": float(np.mean([1000 / max(row[method]["ms"], 1e-6) for row in rows])),
            "ms": float(np.mean([row[method]["ms"] for row in rows])),
            "cpu_ms": float(np.mean([row[method]["cpu_ms"] for row in rows])),
        }
        for key, name in (("ms", "wall_of_mog2"), ("cpu_ms", "cpu_of_mog2")):
            if REFERENCE in methods:
                ratios = [max(row[method][key], 1e-3) / max(row[REFERENCE][key], 1e-3) for row in rows]
                table[method][name] = float(np.exp(np.mean(np.log(ratios))))
    return table


def print_scores(results: dict[str, Any], summary: dict[str, Any], methods: Sequence[str], ours: str | None) -> None:
    """F1 of every sequence, then precision and recall."""
    better = [name for name in BETTER_OF if name in methods] if ours else []
    short = [name.removeprefix("opencv_") for name in methods]
    widths = (34, *(max(len(name), 6) for name in short), *([7] if better else []))
    for title, key in (("F1", "f1"), ("precision", "precision"), ("recall", "recall")):
        titles = [
            name.rjust(width) for name, width in zip([*short, *(["bar"] if better else [])], widths[1:], strict=True)
        ]
        print_row((title, *titles), widths)
        rows = results | {f"mean {name}": values for name, values in summary.items() if name != "all sets"}
        for name, row in rows.items():
            bar = [row[ours][key] - max(row[other][key] for other in better)] if better else []
            print_row((name, *(row[method][key] for method in methods), *bar), widths)
        print()


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    known, others = list(BACKGROUND_METHODS), [*BASELINE_BACKGROUND_METHODS, NO_BASELINE]
    parser.add_argument("--method", nargs="*", choices=known, default=known, metavar="NAME", help="default: all")
    parser.add_argument(
        "--baselines", nargs="+", choices=others, default=list(BASELINE_BACKGROUND_METHODS), metavar="NAME"
    )
    parser.add_argument("--sequences", nargs="+", metavar="PART", help="those whose name holds one of these words")
    parser.add_argument("--option", nargs="+", action="extend", default=[], metavar="METHOD.KEY=VALUE")
    parser.add_argument("--train-share", type=float, default=1 / 3, help="share that is not scored")
    parser.add_argument("--no-times", action="store_true", help="leave the times out: equal runs print equal tables")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="write a sheet of pictures per sequence")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the benchmark; returns what `--json` writes."""
    options = arguments(argv)
    if not 0 <= options.train_share < 1:
        raise SystemExit(f"change.py: --train-share is {options.train_share}; expected at least 0 and below 1.")
    folder = Path(os.environ.get("CVSEG_DATA", ROOT.parent / "shared" / "data"))
    present = find_sequences(folder)
    sequences = [s for s in present if not options.sequences or any(word in s.name for word in options.sequences)]
    if not sequences:
        raise SystemExit(
            f"change.py: no sequence to measure in {folder}; present: {', '.join(s.name for s in present) or 'none'}."
        )
    baselines = [] if NO_BASELINE in options.baselines else options.baselines
    makers, missing = chosen_methods(options.method, baselines, options.option)
    for name, reason in missing.items():
        print(f"left out: {name}. {reason}")
    if not makers:
        raise SystemExit("change.py: no method is left to measure.")
    warm_up(makers)
    results: dict[str, dict[str, dict[str, float]]] = {}
    for sequence in sequences:
        results[sequence.name] = measure(sequence, makers, options.train_share, options.pictures)
    summary, methods = means(results, list(makers)), list(makers)
    print_scores(results, summary, methods, options.method[0] if options.method else None)
    timings = {} if options.no_times else speeds(results, methods)
    if timings:
        columns = ("frames_per_s", "ms", "cpu_ms", "wall_of_mog2", "cpu_of_mog2")
        widths = (max(16, *map(len, methods)), 9, 9, 9, 9, 9)
        titles = ("frames/s", "ms", "CPU ms", "of MOG2", "CPU of")
        print_row(("time of a frame", *(title.rjust(9) for title in titles)), widths)
        for name, row in timings.items():
            print_row((name, *(row.get(key, float("nan")) for key in columns)), widths)
    if options.no_times:
        for row in results.values():
            for values in row.values():
                del values["ms"], values["cpu_ms"]
    record = rounded(
        {
            "benchmark": "change detection: CDnet 2014, SBI2015, UCSD",
            "settings": {"train_share": options.train_share, "options": options.option, "threads": thread_count()},
            "sequences": results,
            "means": summary,
            "speed": timings,
            "left_out": missing,
            **environment(),
        }
    )
    write_record(options.json, record)
    return record


if __name__ == "__main__":
    main()
