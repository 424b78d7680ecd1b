"""What `cvseg track -o FOLDER` writes: tracks, motion, events, pictures and a summary; and the options for it."""

from __future__ import annotations

import csv
import json
import math
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cvseg.errors import OptionError, OutputError, RangeError

if TYPE_CHECKING:
    from cvseg.cli.track_masks import FollowedMasks
    from cvseg.formats.mot_challenge import TrackTable
    from cvseg.tracking.start_targets import StartTarget
    from cvseg.tracking.track_motion import TrackPath
    from cvseg.tracking.zones import Line, Zone

FILES = ("tracks.txt", "tracks.csv", "events.csv", "paths.png", "heatmap.png", "summary.json", "masks")


def parse_zone(text: str) -> Zone:
    """A polygon of ``NAME=x,y x,y x,y ...``.

    Raises
    ------
    OptionError

    Examples
    --------
    >>> parse_zone("yard=0,0 10,0 10,5").corners_xy
    ((0.0, 0.0), (10.0, 0.0), (10.0, 5.0))
    """
    from cvseg.tracking.zones import Zone

    name, points = _named_points("--zone", text)
    try:
        return Zone(name, points)
    except RangeError as error:
        raise OptionError(f"--zone {text!r}: {error}") from None


def parse_line(text: str) -> Line:
    """A line of ``NAME=x1,y1,x2,y2``.

    Raises
    ------
    OptionError

    Examples
    --------
    >>> parse_line("gate=0,0,10,5").end_xy
    (10.0, 5.0)
    """
    from cvseg.tracking.zones import Line

    name, points = _named_points("--line", text)
    if len(points) != 2:
        raise OptionError(f"--line is {text!r}; expected NAME=x1,y1,x2,y2, two points in pixels.")
    try:
        return Line(name, *points)
    except RangeError as error:
        raise OptionError(f"--line {text!r}: {error}") from None


def _named_points(option: str, text: str) -> tuple[str, tuple[tuple[float, float], ...]]:
    name, _, rest = text.partition("=")
    words = [word for word in re.split(r"[,\s]+", rest.strip()) if word]
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if not name.strip() or not numbers or len(numbers) % 2 or not all(map(math.isfinite, numbers)):
        raise OptionError(f"{option} is {text!r}; expected NAME=x,y x,y ... with finite numbers, in pixels.")
    return name.strip(), tuple(zip(numbers[::2], numbers[1::2], strict=True))


def parse_starts(texts: tuple[str, ...]) -> list[StartTarget]:
    """Targets of ``X,Y,W,H`` (first frame), of a MOTChallenge text file, or of a mask picture (first frame).

    Raises
    ------
    OptionError, FormatError
    """
    from cvseg.tracking.start_targets import StartTarget

    targets: list[StartTarget] = []
    for text in texts:
        path = Path(text)
        if path.is_file() and path.suffix.lower() == ".png":
            from cvseg.formats.davis import read_mask

            labels = read_mask(path)
            for value in np.unique(labels[labels > 0]).tolist():
                down, right = np.nonzero(labels == value)
                box = float(right.min()), float(down.min()), float(right.max() + 1), float(down.max() + 1)
                targets.append(StartTarget(0, value, box))
        elif path.is_file():
            from cvseg.formats.detections import read_detections

            table = read_detections(path, sort=True)
            for row in range(len(table)):
                x0, y0, x1, y1 = (float(value) for value in table.boxes_xyxy[row])
                number = int(table.ids[row])
                targets.append(StartTarget(int(table.frames[row]), max(number, 0), (x0, y0, x1, y1)))
        else:
            numbers = re.findall(r"[^,\s]+", text)
            try:
                x, y, width, height = (float(number) for number in numbers)
            except ValueError:
                width = height = 0.0
            if not (width > 0 and height > 0 and all(map(math.isfinite, (x, y, width, height)))):
                raise OptionError(
                    f"--start is {text!r}; expected X,Y,W,H of a target in the first frame, or the name of an existing "
                    "file: boxes as MOTChallenge text, or a mask PNG of the first frame."
                )
            targets.append(StartTarget(0, 0, (x, y, x + width, y + height)))
    taken = {target.id for target in targets}
    result, free = [], 1
    for target in targets:
        number = target.id
        if not number:
            while free in taken:
                free += 1
            number = free
            taken.add(free)
        result.append(StartTarget(target.frame, number, target.box_xyxy))
    counts = Counter(target.id for target in result)
    twice = [number for number, count in counts.items() if count > 1]
    if twice:
        raise OptionError(f"--start names target {twice[0]} {counts[twice[0]]} times; expected each number once.")
    return result


def prepare_outputs(out: str, overwrite: bool) -> Path:
    """Make the folder, or refuse one that holds something.

    Raises
    ------
    OutputError
    """
    from cvseg.video.replace_file import prepare_folder

    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{out} is a file; expected a folder, or the name of a text file ending in .txt.")
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise OutputError(f"{out} is not empty. Name another folder with -o, or add --overwrite.")
    return prepare_folder(folder)


def write_outputs(
    folder: Path,
    tracks: TrackTable,
    *,
    times_s: Any,
    size_hw: tuple[int, int],
    picture: Any = None,
    masks: FollowedMasks | None = None,
    numbers: dict[int, int] | None = None,
    homography: Any = None,
    point: str = "foot",
    zones: list[Zone] | None = None,
    lines: list[Line] | None = None,
    source: str = "",
) -> dict[str, Any]:
    """Write everything; returns the summary.

    Raises
    ------
    OutputError, RangeError
    """
    from cvseg.cli.track_masks import chosen_labels
    from cvseg.formats.davis import write_mask
    from cvseg.formats.mot_challenge import write_track_table
    from cvseg.report.heat_map import add_boxes, draw_heat_map
    from cvseg.report.path_picture import draw_paths
    from cvseg.tracking.track_motion import track_paths

    zones, lines = zones or [], lines or []
    paths = track_paths(tracks, times_s, homography=homography, point=point)
    events = zone_and_line_events(paths, zones, lines)
    write_track_table(folder / "tracks.txt", tracks)
    _write_csv(folder / "tracks.csv", *_motion_rows(paths, homography is not None))
    (folder / "events.csv").unlink(missing_ok=True)
    if zones or lines:
        columns = ["frame", "time_s", "id", "event", "place", "direction", "count"]
        _write_csv(folder / "events.csv", columns, [[event[name] for name in columns] for event in events])
    durations = np.append(np.diff(times_s), np.diff(times_s)[-1:] if len(times_s) > 1 else 0.04)
    seconds = np.zeros(size_hw)
    if masks is None:
        for frame, box in zip(tracks.frames.tolist(), tracks.boxes_xyxy, strict=True):
            add_boxes(seconds, box, float(durations[frame]))
    else:
        (folder / "masks").mkdir(exist_ok=True)
        for old in (folder / "masks").glob("*.png"):
            old.unlink()
        for index, (name, runs) in enumerate(zip(masks.names, masks.masks, strict=True)):
            labels = runs.labels()
            if numbers is not None:
                shown = set(tracks.ids[tracks.frames == index].tolist())
                labels = chosen_labels(labels, {old: new for old, new in numbers.items() if new in shown})
            write_mask(folder / "masks" / f"{name}.png", labels)
            seconds += (labels > 0) * durations[index]
    _write_picture(folder / "heatmap.png", draw_heat_map(seconds, picture))
    _write_picture(folder / "paths.png", draw_paths(paths, size_hw, picture, zones, lines))
    places = [zone.name for zone in zones] + [line.name for line in lines]
    totals: dict[str, dict[str, int]] = {name: {} for name in places}
    for event in events:
        key = event["direction"] or event["event"]
        totals[event["place"]][key] = totals[event["place"]].get(key, 0) + 1
    unit = "m" if homography is not None else "px"
    summary = {
        "written_by": _version(),
        "input": source,
        "frames": len(times_s),
        "seconds": round(float(durations.sum()), 6),
        "tracks": len(paths),
        "unit": unit,
        "counts": totals,
        "paths": [
            {
                "id": path.id,
                "first_frame": int(path.frames[0]) + 1,
                "last_frame": int(path.frames[-1]) + 1,
                "seen": len(path.frames),
                f"length_{unit}": round(float(path.lengths[-1]), 4),
                f"mean_speed_{unit}_per_s": _mean_speed(path),
            }
            for path in paths
        ],
    }
    from cvseg.video.replace_file import replacing

    with replacing(folder / "summary.json") as partial:
        partial.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8", errors="backslashreplace")
    return summary


def zone_and_line_events(paths: list[TrackPath], zones: list[Zone], lines: list[Line]) -> list[dict[str, Any]]:
    """All events in the order of their time; count is how many of its kind the place has had so far."""
    from cvseg.tracking.zones import line_passages, zone_passages

    found: list[dict[str, Any]] = []
    for path in paths:
        for place, passages in (
            *((zone.name, zone_passages(zone, path.points_xy)) for zone in zones),
            *((line.name, line_passages(line, path.points_xy)) for line in lines),
        ):
            for passage in passages:
                now = path.times_s[passage.row]
                before = path.times_s[passage.row - 1] if passage.row else now
                found.append(
                    {
                        "frame": int(path.frames[passage.row]) + 1,
                        "time_s": round(float(before + passage.share * (now - before)), 6),
                        "id": path.id,
                        "event": passage.kind,
                        "place": place,
                        "direction": passage.direction,
                    }
                )
    found.sort(key=lambda event: (event["time_s"], event["frame"], event["id"]))
    counts: Counter[tuple[str, str, str]] = Counter()
    for event in found:
        key = event["place"], event["event"], event["direction"]
        counts[key] += 1
        event["count"] = counts[key]
    return found


def _motion_rows(paths: list[TrackPath], ground: bool) -> tuple[list[str], list[list[Any]]]:
    unit = "m" if ground else "px"
    columns = ["frame", "time_s", "id", f"x_{unit}", f"y_{unit}", "left_px", "top_px", "width_px", "height_px"]
    columns += [f"speed_{unit}_per_s", "heading_deg", f"path_{unit}"]
    rows = []
    for path in paths:
        speeds, headings = path.speeds, path.headings_deg
        for i in range(len(path.frames)):
            x0, y0, x1, y1 = path.boxes_xyxy[i]
            numbers = (*path.places_xy[i], x0, y0, x1 - x0, y1 - y0, speeds[i], headings[i], path.lengths[i])
            row: list[Any] = [int(path.frames[i]) + 1, f"{path.times_s[i]:.6f}", path.id]
            rows.append(row + ["" if np.isnan(v) else f"{v:.4f}" for v in numbers])
    rows.sort(key=lambda row: (row[0], row[2]))
    return columns, rows


def _mean_speed(path: TrackPath) -> float | None:
    seconds = float(path.times_s[-1] - path.times_s[0])
    return round(float(path.lengths[-1]) / seconds, 4) if seconds else None


def _write_csv(path: Path, columns: list[str], rows: list[list[Any]]) -> None:
    from cvseg.video.replace_file import replacing

    with replacing(path) as partial, open(partial, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _write_picture(path: Path, picture: Any) -> None:
    from PIL import Image

    from cvseg.video.replace_file import replacing

    with replacing(path) as partial, open(partial, "wb") as file:
        Image.fromarray(picture).save(file, format="PNG")


def _version() -> str:
    import cvseg

    return f"cvseg {cvseg.__version__}"
