"""Explanations: the panels of a frame, the table, the section of the report, and what a broken disk leaves."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from cvseg.errors import OutputError
from cvseg.records import EVIDENCE_TERMS, Evidence, Frame, FrameResult, Track
from cvseg.report.evidence_picture import FULL, OPACITY, draw_evidence, evidence_colors
from cvseg.report.evidence_table import MOST_ROWS, evidence_section
from cvseg.report.explain_folder import ExplainFolder, remove_explanation
from cvseg.report.html import render_report
from cvseg.report.run_record import RunRecord

SIZE_HW = (37, 53)


def explained(index=0, ids=(1,), motion=0.5, evidence=True):
    labels = np.zeros(SIZE_HW, np.int32)
    tracks = []
    for i, number in enumerate(ids):
        y, x = 5 + 2 * i, 5 + 3 * (i % 12)
        labels[y : y + 2, x : x + 2] = number
        box = (float(x), float(y), float(x + 2), float(y + 2))
        tracks.append(Track(number, box, 4, (x + 0.5, y + 0.5), (0.0, 0.0), 0.75, 1))
    small = tuple(-(-side // 2) for side in SIZE_HW)
    maps = {name: np.zeros(small, np.float32) for name in EVIDENCE_TERMS}
    maps["motion"] += motion
    frame = Frame(index, Fraction(index, 10), np.full((*SIZE_HW, 3), 90, np.uint8), f"{index:05d}")
    return FrameResult(
        frame,
        labels,
        tuple(tracks),
        np.zeros(SIZE_HW, np.float32),
        "moving",
        evidence=Evidence(**maps, factor=2) if evidence else None,
    )


def test_no_evidence_shows_the_picture_and_full_evidence_its_colour():
    picture = np.full((1, 4, 3), 200, np.uint8)
    colors = evidence_colors(np.array([[0, FULL, -FULL, 9 * FULL]], np.float32), picture).astype(int)
    assert len(set(colors[0, 0])) == 1
    assert colors[0, 1, 0] > colors[0, 1, 2] + 100 * OPACITY
    assert colors[0, 2, 2] > colors[0, 2, 0] + 100 * OPACITY
    assert (colors[0, 3] == colors[0, 1]).all()


def test_a_page_of_panels_has_one_for_the_frame_each_term_and_the_sum():
    result = explained()
    page = draw_evidence(result, result.evidence.track_means(result.labels, (1,)))
    assert page.dtype == np.uint8
    assert page.shape == (2 * (37 + 24 + 8) + 34, 4 * (53 + 8) + 8, 3)
    # Motion is the second panel; its evidence is for the object, so it is warmer than the panel of time.
    motion, time = page[24 + 30 : 24 + 37, 61 + 8 + 30 : 61 + 8 + 50], page[24 + 30 : 24 + 37, 130 + 30 : 130 + 50]
    assert motion[..., 0].mean() > motion[..., 2].mean() + 20
    assert time[..., 0].mean() == pytest.approx(time[..., 2].mean(), abs=1)


@pytest.mark.parametrize("size_hw", [(1, 1), (3, 900), (900, 2)])
def test_frames_of_any_shape_are_drawn(size_hw):
    small = tuple(-(-side // 3) for side in size_hw)
    maps = {name: np.zeros(small, np.float32) for name in EVIDENCE_TERMS}
    frame = Frame(0, Fraction(0), np.zeros((*size_hw, 3), np.uint8), "0")
    labels = np.zeros(size_hw, np.int32)
    result = FrameResult(
        frame, labels, (), np.zeros(size_hw, np.float32), "moving", evidence=Evidence(**maps, factor=3)
    )
    assert draw_evidence(result, {}).ndim == 3


def test_a_folder_holds_a_picture_per_frame_and_a_line_per_object(tmp_path):
    folder = ExplainFolder(tmp_path)
    for index in range(2):
        result = explained(index, ids=(1, 4))
        folder.note(result, folder.draw(result))
    folder.close()
    assert sorted(path.name for path in (tmp_path / "explain").iterdir()) == ["00000.jpg", "00001.jpg"]
    with Image.open(tmp_path / "explain" / "00001.jpg") as picture:
        picture.load()
    head, *lines = (tmp_path / "explain.csv").read_text().splitlines()
    assert head == "frame,track,motion,time,location,appearance,background,outline,area_px,confidence"
    assert lines[0] == "0,1,0.5000,0.0000,0.0000,0.0000,0.0000,0.0000,4,0.7500"
    assert [line.split(",")[:2] for line in lines] == [["0", "1"], ["0", "4"], ["1", "1"], ["1", "4"]]


def test_a_result_without_evidence_is_refused_in_words(tmp_path):
    folder = ExplainFolder(tmp_path)
    with pytest.raises(OutputError, match="carries no evidence"):
        folder.draw(explained(evidence=False))
    folder.close()


def test_a_frame_can_be_forgotten(tmp_path):
    folder = ExplainFolder(tmp_path)
    folder.draw(explained())
    folder.forget("00000")
    folder.forget("00007")
    assert not list((tmp_path / "explain").iterdir())
    folder.close()


def test_removing_leaves_other_files(tmp_path):
    folder = ExplainFolder(tmp_path)
    folder.draw(explained())
    folder.close()
    (tmp_path / "explain" / "note.txt").write_text("mine")
    remove_explanation(tmp_path)
    assert [path.name for path in (tmp_path / "explain").iterdir()] == ["note.txt"]
    (tmp_path / "explain" / "note.txt").unlink()
    remove_explanation(tmp_path)
    assert not list(tmp_path.iterdir())


def record_of(*results):
    record = RunRecord(source="clip.mp4", settings={})
    for result in results:
        record.add(result, result.evidence.track_means(result.labels, [track.id for track in result.tracks]))
    record.end("complete")
    return record


def test_the_record_averages_evidence_over_the_frames_of_a_track():
    summary = record_of(explained(0, motion=0.5), explained(1, motion=1.0)).to_mapping()
    assert summary["tracks"][0]["evidence"]["motion"] == 0.75
    assert summary["tracks"][0]["evidence"]["time"] == 0


def test_without_evidence_the_summary_and_the_report_say_nothing_of_it():
    record = RunRecord(source="clip.mp4", settings={})
    record.add(explained(evidence=False))
    assert "evidence" not in record.to_mapping()["tracks"][0]
    assert evidence_section(record) == ""


def test_the_report_has_a_row_of_terms_for_each_track():
    record = record_of(explained(ids=(1, 3)))
    page = render_report(record, sections=evidence_section(record))
    section = page[page.index("<h2>Why these pixels") :].partition("</section>")[0]
    assert section.count('scope="row"><i style="background') == 2
    assert section.count("</span>+0.50</td>") == 2
    for tag in ("table", "tr", "td", "th", "span", "i", "div", "p"):
        assert section.count(f"<{tag}>") + section.count(f"<{tag} ") == section.count(f"</{tag}>"), tag


def test_many_tracks_are_cut_to_the_longest():
    section = evidence_section(record_of(explained(ids=range(1, 15)), explained(ids=(1,))))
    assert section.count('scope="row"') == 14
    record = record_of(*(explained(ids=range(1 + 12 * i, 13 + 12 * i)) for i in range(6)))
    assert evidence_section(record).count('scope="row"') == MOST_ROWS
    assert "12 shorter ones are in explain.csv" in evidence_section(record)
