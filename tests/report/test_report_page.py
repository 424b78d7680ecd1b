"""The report page and what feeds it: the record of a run, the strip of pictures, the timeline."""

from __future__ import annotations

import html.parser
import io
import json
import re
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from cvseg.records import Frame, FrameResult, Track
from cvseg.report.html import render_report
from cvseg.report.run_record import RunRecord
from cvseg.report.strip import Strip
from cvseg.report.timeline import MOST_ROWS, draw_timeline


def result(index, areas):
    """A result with these tracks: id to area."""
    image = np.zeros((8, 12, 3), np.uint8)
    tracks = tuple(Track(n, (0.0, 0.0, 1.0, 1.0), area, (0.0, 0.0), (0.0, 0.0), 0.5, 1) for n, area in areas.items())
    frame = Frame(index, Fraction(index, 10), image, f"{index:05d}")
    return FrameResult(frame, np.zeros((8, 12), np.int32), tracks, np.zeros((8, 12), np.float32), "moving", {"a": 0.5})


def record_of(*per_frame, source="clip.mp4"):
    record = RunRecord(source=source, settings={"device": "cpu", "preset": "fast", "options": {"flow": {"level": 2}}})
    for index, areas in enumerate(per_frame):
        record.add(result(index, areas))
    record.end("complete")
    return record


class Reader(html.parser.HTMLParser):
    """Collects text, and checks that every element that is opened is closed."""

    EMPTY = frozenset({"meta", "img", "line", "rect", "polygon", "br", "link"})

    def __init__(self, page):
        super().__init__()
        self.open, self.text, self.sources = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.sources += [value for name, value in attributes if name in ("src", "poster", "href")]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_summary_counts_frames_tracks_and_times():
    summary = record_of({1: 10}, {1: 20, 2: 5}, {2: 7}).to_mapping()
    assert summary["video"]["frames"] == 3
    assert (summary["video"]["width"], summary["video"]["height"]) == (12, 8)
    assert summary["video"]["last_time_s"] == 0.2
    assert summary["speed"]["stages_ms_per_frame"] == {"a": 500.0}
    first, second = summary["tracks"]
    assert first == {
        "id": 1,
        "first_frame": 0,
        "last_frame": 1,
        "frames": 2,
        "mean_area_px": 15.0,
        "mean_confidence": 0.5,
        "confidences": [0.5, 0.5],
    }
    assert (second["id"], second["first_frame"], second["last_frame"]) == (2, 1, 2)


def test_the_summary_holds_a_confidence_for_every_frame_and_object():
    summary = record_of({1: 10}, {}, {1: 7}).to_mapping()
    assert summary["video"]["confidences"] == [1.0, 1.0, 1.0]
    assert summary["tracks"][0]["confidences"] == [0.5, None, 0.5]


def test_the_summary_as_text_has_a_list_of_numbers_on_one_line():
    record = record_of({1: 10}, {}, {1: 7}, source="[ 1,\n 2 ]")
    text = record.to_json()
    assert json.loads(text) == json.loads(json.dumps(record.to_mapping()))
    assert '"confidences": [0.5, null, 0.5]' in text


def test_the_page_is_well_formed_and_needs_nothing_else():
    strip = Strip()
    strip.offer(0, 0.0, np.zeros((8, 12, 3), np.uint8))
    page = render_report(record_of({1: 10}, {1: 9}), strip.evenly(), ["masks", "overlay.mp4", "summary.json"])
    reader = Reader(page)
    assert reader.open == []
    assert {source.split(",")[0] for source in reader.sources} == {
        "data:image/jpeg;base64",
        "overlay.mp4",
        "masks",
        "summary.json",
    }
    assert "$" not in "".join(reader.text)


@pytest.mark.parametrize("per_frame", [(), ({},), ({}, {1: 1})])
def test_a_run_with_nothing_to_show_has_a_page_too(per_frame):
    assert Reader(render_report(record_of(*per_frame))).open == []


def test_names_from_outside_cannot_become_markup():
    record = record_of({1: 5}, source="<script>alert(1)</script>&.mp4")
    record.end("failed", "<b>no</b>")
    page = render_report(record)
    assert "<script" not in page
    assert "<b>no" not in page
    assert Reader(page).open == []


def test_scores_settings_and_the_message_are_on_the_page():
    record = record_of({1: 5})
    record.scores = {"J mean": 0.734}
    record.end("interrupted", "Stopped after 1 frame.")
    text = " ".join(Reader(render_report(record)).text)
    for words in ("0.734", "J mean", "Stopped after 1 frame.", "interrupted", "level", "clip.mp4"):
        assert words in text


def test_the_timeline_has_one_bar_per_span_and_one_row_per_track():
    frames = [{1: 5} for _ in range(5)] + [{} for _ in range(10)] + [{1: 5, 2: 3} for _ in range(5)]
    svg = draw_timeline(record_of(*frames), lambda number: (number, 0, 0))
    assert svg.count("<polygon") == 3
    assert re.findall(r'class="id"[^>]*>(\d+)<', svg) == ["1", "2"]


def test_a_short_gap_does_not_split_a_bar():
    svg = draw_timeline(record_of({1: 5}, {1: 5}, {}, {}, {1: 5}), lambda _: (0, 0, 0))
    assert svg.count("<polygon") == 1


def test_a_crowd_shows_its_longest_tracks_and_says_how_many_are_left_out():
    crowd = {number: 4 for number in range(1, MOST_ROWS + 31)}
    svg = draw_timeline(record_of(crowd, {number: 4 for number in range(31, MOST_ROWS + 31)}), lambda _: (0, 0, 0))
    rows = re.findall(r'class="id"[^>]*>(\d+)<', svg)
    assert len(rows) == MOST_ROWS
    assert rows[0] == "31"
    assert "30 shorter ones" in svg


def test_a_long_run_gives_a_small_drawing():
    record = record_of(*({1: 5 + i % 7} for i in range(20_000)))
    assert len(draw_timeline(record, lambda _: (0, 0, 0))) < 20_000


@pytest.mark.parametrize("count", [1, 2, 8, 9, 10, 17, 18, 19, 100, 1000])
def test_the_strip_keeps_a_few_pictures_evenly_spread(count):
    strip = Strip(length=9)
    image = np.zeros((4, 6, 3), np.uint8)
    for index in range(count):
        strip.offer(index, index / 10, image)
    assert len(strip.pictures) < 18
    chosen = [picture.frame_index for picture in strip.evenly()]
    assert len(chosen) == min(9, count)
    assert chosen[0] == 0
    assert chosen == sorted(set(chosen))
    assert chosen[-1] >= count * 0.8 - 1


def test_pictures_are_shrunk_to_the_width_of_the_strip_and_small_ones_stay():
    strip = Strip(width_px=40)
    strip.offer(0, 0.0, np.zeros((60, 80, 3), np.uint8))
    strip.offer(1, 0.1, np.zeros((6, 8, 3), np.uint8))
    sizes = [Image.open(io.BytesIO(picture.jpeg)).size for picture in strip.pictures]
    assert sizes == [(40, 30), (8, 6)]
    assert [picture.size_hw for picture in strip.pictures] == [(30, 40), (6, 8)]
