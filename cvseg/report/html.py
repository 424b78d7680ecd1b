"""Writes report.html: one file that needs no other and no network."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from importlib import resources
from string import Template
from typing import Any

from cvseg.report.overlay import track_color
from cvseg.report.run_record import RunRecord
from cvseg.report.strip import Picture
from cvseg.report.timeline import draw_timeline

STATUS_WORDS = {
    "complete": ("complete", "good"),
    "interrupted": ("interrupted", "warn"),
    "damaged input": ("damaged input", "bad"),
    "failed": ("failed", "bad"),
    "running": ("not finished", "warn"),
}


def render_report(
    record: RunRecord, pictures: Sequence[Picture] = (), files: Sequence[str] = (), sections: str = ""
) -> str:
    """The report as HTML text.

    Parameters
    ----------
    record : what happened in the run
    pictures : overlay pictures in the order of time
    files : names beside the report that it links to; ``overlay.mp4`` among them is shown as a player
    sections : HTML that stands between the pictures and the timeline, for what only one command has
    """
    summary = record.to_mapping()
    word, mood = STATUS_WORDS.get(record.status, (record.status, "warn"))
    return fill_page(
        "report.html",
        title=escape(_short_name(record.source)),
        status=f'<span class="pill {mood}">{escape(word)}</span>',
        message=f'<p class="message {mood}">{escape(record.message)}</p>' if record.message else "",
        facts=_facts(summary),
        scores=_scores(record.scores),
        player=_player(pictures, files),
        strip=_strip(pictures),
        sections=sections,
        timeline=draw_timeline(record, track_color),
        stages=_stages(summary["speed"]["stages_ms_per_frame"]),
        settings=_groups(summary["settings"], "run"),
        machine=_groups(summary["machine"], "machine"),
        files=_links(files),
        written_by=escape(summary["written_by"]),
    )


def fill_page(name: str, **parts: str) -> str:
    """The page `name` of this package with its parts filled in, each of them HTML, and the common style."""
    pages = resources.files("cvseg.report")
    style = pages.joinpath("report.css").read_text(encoding="utf-8")
    return Template(pages.joinpath(name).read_text(encoding="utf-8")).substitute(parts, style=style)


def _facts(summary: Mapping[str, Any]) -> str:
    video, speed = summary["video"], summary["speed"]
    length = video["last_time_s"] - video["first_time_s"]
    camera = ", ".join(f"{name}" for name, count in video["camera"].items() if count)
    facts = [
        ("frames", f"{video['frames']:,}".replace(",", "\u202f")),
        ("size", f"{video['width']} \u00d7 {video['height']}"),
        ("length", f"{length:.1f} s"),
        ("tracks", str(len(summary["tracks"]))),
        ("camera", camera or "\u2013"),
        ("speed", f"{speed['frames_per_second']:.1f} frames/s"),
        ("device", str(summary["settings"].get("device", "\u2013"))),
        ("preset", str(summary["settings"].get("preset", "\u2013"))),
    ]
    return "".join(f"<div><dt>{name}</dt><dd>{escape(text)}</dd></div>" for name, text in facts)


def _scores(scores: Mapping[str, float]) -> str:
    if not scores:
        return ""
    cards = "".join(
        f'<div class="score"><b>{value:g}</b><span>{escape(name)}</span></div>' for name, value in scores.items()
    )
    return f'<section><h2>Against the known truth</h2><div class="scores">{cards}</div></section>'


def _player(pictures: Sequence[Picture], files: Sequence[str]) -> str:
    if "overlay.mp4" not in files:
        return ""
    poster = f' poster="{pictures[len(pictures) // 2].data_url}"' if pictures else ""
    size = ""
    if pictures:
        height, width = pictures[0].size_hw
        size = f' style="aspect-ratio: {width} / {height}"'
    player = f'<video src="overlay.mp4" controls loop muted playsinline preload="none"{poster}{size}></video>'
    return f"<section>{player}</section>"


def _strip(pictures: Sequence[Picture]) -> str:
    if not pictures:
        return '<p class="quiet">No pictures: no frame was finished, or overlays were switched off.</p>'
    figures = []
    for picture in pictures:
        height, width = picture.size_hw
        caption = f"frame {picture.frame_index} \u00b7 {picture.time_s:.2f} s"
        figures.append(
            f'<figure><img src="{picture.data_url}" width="{width}" height="{height}" alt="Overlay of {caption}">'
            f"<figcaption>{caption}</figcaption></figure>"
        )
    return f'<div class="strip">{"".join(figures)}</div>'


def _stages(stages: Mapping[str, float]) -> str:
    if not stages:
        return '<p class="quiet">No stage was timed.</p>'
    longest = max(stages.values()) or 1.0
    rows = "".join(
        f'<tr><th scope="row">{escape(name.replace("_", " "))}</th>'
        f'<td class="bar"><i style="width:{max(0.4, milliseconds / longest * 100):.1f}%"></i></td>'
        f'<td class="number">{milliseconds:.1f} ms</td></tr>'
        for name, milliseconds in stages.items()
    )
    return f'<table class="stages">{rows}</table>'


def _table(pairs: Sequence[tuple[str, str]]) -> str:
    if not pairs:
        return '<p class="quiet">None.</p>'
    rows = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>' for name, text in pairs)
    return f"<table>{rows}</table>"


def _groups(values: Mapping[str, Any], title: str) -> str:
    """A small table per level of nested mappings, each under the path that leads to it."""
    tables = "".join(f"<div><h3>{escape(name)}</h3>{_table(pairs)}</div>" for name, pairs in _levels(values, title))
    return f'<div class="groups">{tables}</div>'


def _levels(values: Mapping[str, Any], title: str) -> list[tuple[str, list[tuple[str, str]]]]:
    plain = [(name, "\u2013" if v is None else str(v)) for name, v in values.items() if not isinstance(v, Mapping)]
    levels = [(title, plain)] if plain else []
    for name, value in values.items():
        if isinstance(value, Mapping):
            levels += _levels(value, name)
    return levels


def _links(files: Sequence[str]) -> str:
    return " ".join(f'<a href="{escape(name)}">{escape(name)}</a>' for name in files)


def _short_name(source: str) -> str:
    return source.rstrip("/").rpartition("/")[2] or source


def escape(text: str) -> str:
    """Text as HTML, also inside a quoted attribute."""
    return html.escape(text, quote=True)
