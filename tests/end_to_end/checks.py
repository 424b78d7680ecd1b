"""What must hold of a results folder, however the run ended."""

from __future__ import annotations

import json

import av
import numpy as np
from PIL import Image

from cvseg.color.palette import davis_palette
from cvseg.formats import read_mask, read_tracks


def mask_files(out):
    return sorted((out / "masks").glob("*"))


def check_results(out, *, overlay=True, explain=False):
    """Every file is there, whole, and agrees with the others. Returns the summary."""
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    files = mask_files(out)
    assert all(path.suffix == ".png" for path in files), files
    assert len(files) == summary["video"]["frames"] > 0
    names = {"masks", "tracks.txt", "report.html", "summary.json"} | ({"overlay.mp4"} if overlay else set())
    names |= {"explain", "explain.csv"} if explain else set()
    assert {path.name for path in out.iterdir()} == names
    if explain:
        check_explanation(out, files)
    check_masks(files, summary)
    check_tracks(out, summary)
    if overlay:
        with av.open(str(out / "overlay.mp4")) as container:
            shown = [(frame.width, frame.height) for frame in container.decode(video=0)]
        assert len(shown) == len(files)
        width, height = summary["video"]["width"], summary["video"]["height"]
        assert set(shown) == {(width + width % 2, height + height % 2)}
    report = (out / "report.html").read_text(encoding="utf-8")
    assert report.startswith("<!doctype html>")
    assert "http://" not in report and "https://" not in report
    return summary


def check_masks(files, summary):
    for path in files:
        with Image.open(path) as picture:
            assert picture.mode == "P"
            assert picture.size == (summary["video"]["width"], summary["video"]["height"])
            assert np.array_equal(np.reshape(picture.getpalette(), (256, 3)), davis_palette())


def check_tracks(out, summary):
    """tracks.txt names exactly the ids that the masks hold, with boxes that fit."""
    table = read_tracks(out / "tracks.txt")
    assert sorted(set(table.ids.tolist())) == [track["id"] for track in summary["tracks"]]
    from cvseg.video.image_folder import natural_key

    for index, path in enumerate(sorted(mask_files(out), key=lambda file: natural_key(file.name))):
        labels = read_mask(path)
        rows = np.flatnonzero(table.frames == index)
        assert sorted(table.ids[rows].tolist()) == [int(i) for i in np.unique(labels) if i]
        for row in rows:
            y, x = np.nonzero(labels == table.ids[row])
            assert table.boxes_xyxy[row].tolist() == [x.min(), y.min(), x.max() + 1, y.max() + 1]


def check_explanation(out, masks):
    """A whole picture for every mask, and a line for every box in tracks.txt."""
    pictures = sorted((out / "explain").iterdir())
    assert [path.name for path in pictures] == [f"{path.stem}.jpg" for path in masks]
    for path in pictures:
        with Image.open(path) as picture:
            picture.load()
    head, *lines = (out / "explain.csv").read_text().splitlines()
    table, columns = read_tracks(out / "tracks.txt"), head.split(",")
    rows = [dict(zip(columns, map(float, line.split(",")), strict=True)) for line in lines]
    assert [(row["frame"], row["track"]) for row in rows] == list(zip(table.frames, table.ids, strict=True))
    for row, path in ((row, masks[int(row["frame"])]) for row in rows):
        assert row["area_px"] == (read_mask(path) == row["track"]).sum()


def check_nothing_left(folder):
    """No unfinished file anywhere."""
    assert not [path for path in folder.rglob("*") if path.name.startswith(".") or path.suffix == ".partial"]


def one_sentence(text):
    """The sentence on standard error; no traceback, no second line."""
    lines = [line for line in text.splitlines() if line.strip()]
    assert "Traceback" not in text
    assert len(lines) == 1, text
    assert lines[0].startswith("cvseg: ")
    assert lines[0].endswith((".", "?")), lines[0]
    return lines[0]
