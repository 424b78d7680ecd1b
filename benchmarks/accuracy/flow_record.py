"""The file of the flow benchmark: parts measured one after the other, joined, and printed as the tables of the docs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

YARDSTICK = "dis balanced"  # measured in every part: what a machine was busy with shows in its times
COLUMNS = (("EPE px", "epe_px", 1, 3), ("Fl-all %", "outliers", 100, 1), ("angle deg", "angular_error_deg", 1, 1))
SAME = ("repeats", "threads", "machine", "versions")


def read_record(path: Path) -> dict[str, Any] | None:
    """What `path` holds; None when there is no such file."""
    if not path.is_file():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    if record.get("benchmark") != "optical flow" or "parts" not in record:
        raise SystemExit(f"flow.py: {path} is not a record of this benchmark. Name another file.")
    return record


def joined(before: dict[str, Any] | None, part: dict[str, Any], asked: Sequence[str]) -> dict[str, Any]:
    """`before` with the methods of `part`, which replace those of the same name.

    A yardstick that was not `asked` for stands beside the part, and among the methods only where `before` has none.
    """
    times = [row["cpu_ms"] for row in part["results"].get(YARDSTICK, {}).values()]
    kept = {name for name in part["results"] if name in asked or before is None or name not in before["results"]}
    results = {name: rows for name, rows in part["results"].items() if name in kept}
    speed = {size: {name: row for name, row in rows.items() if name in kept} for size, rows in part["speed"].items()}
    about = {
        "methods": list(results),
        "yardstick_cpu_ms": float(np.mean(times)) if times else None,
        "commit": part["commit"],
        "uncommitted_changes": part["uncommitted_changes"],
    }
    if before is None:
        return {key: value for key, value in part.items() if key not in about} | {"parts": [about]}
    for key in SAME:
        if before[key] != part[key]:
            raise SystemExit(
                f"flow.py: the file holds {key} {before[key]}, this part {part[key]}; only like can be joined. "
                "Move the file away and measure all parts again."
            )
    pairs = [list(next(iter(record["results"].values()))) for record in (before, part)]
    if pairs[0] != pairs[1]:
        raise SystemExit(f"flow.py: the file holds the pairs {pairs[0]}, this part {pairs[1]}. Use the same data.")
    old = [part | {"methods": [name for name in part["methods"] if name not in results]} for part in before["parts"]]
    return before | {
        "results": before["results"] | results,
        "speed": {size: before["speed"].get(size, {}) | speed.get(size, {}) for size in {**before["speed"], **speed}},
        "left_out": {name: why for name, why in before["left_out"].items() if name not in results} | part["left_out"],
        "parts": [part for part in old if part["methods"]] + [about],
    }


def mean_of(rows: Mapping[str, Mapping[str, float]], key: str) -> float:
    """Mean over the pairs."""
    return float(np.mean([row[key] for row in rows.values()]))


def print_markdown(record: Mapping[str, Any], preset_of: Mapping[str, str]) -> None:
    """All methods by time, and the error of `dis` and its rivals by pair, as the pages under docs/methods have them.

    preset_of: "`dis` fast" and the like by label; what is not in it is a baseline.
    """
    results, sizes = record["results"], list(record["speed"])
    heads = [head for head, *_ in COLUMNS] + ["CPU ms", *sizes]
    print(f"| method | {' | '.join(heads)} |\n|{'---|' * (len(heads) + 1)}")
    for name in sorted(results, key=lambda name: mean_of(results[name], "cpu_ms")):
        cells = [f"{factor * mean_of(results[name], key):.{digits}f}" for _, key, factor, digits in COLUMNS]
        times = [mean_of(results[name], "cpu_ms")]
        times += [record["speed"][size].get(name, {}).get("cpu_ms", float("nan")) for size in sizes]
        cells += ["-" if np.isnan(ms) else f"{ms:.1f}" if ms < 10 else f"{ms:.0f}" for ms in times]
        print(f"| {preset_of.get(name, f'`{name}`')} | {' | '.join(cells)} |")
    pairs = list(next(iter(results.values())))
    print(f"\n| method | {' | '.join(pairs)} | mean | CPU ms |\n|{'---|' * (len(pairs) + 3)}")
    for name, rows in results.items():
        cells = [f"{rows[pair]['epe_px']:.3f}" for pair in pairs] + [f"**{mean_of(rows, 'epe_px'):.3f}**"]
        print(f"| {preset_of.get(name, f'`{name}`')} | {' | '.join(cells)} | {mean_of(rows, 'cpu_ms'):.1f} |")
    yardsticks = [part["yardstick_cpu_ms"] for part in record["parts"] if part["yardstick_cpu_ms"] is not None]
    if yardsticks:
        print(
            f"\n{len(record['parts'])} parts; `{YARDSTICK}` took {min(yardsticks):.1f} to {max(yardsticks):.1f} ms in "
            "them: times of different parts compare no better than that."
        )
