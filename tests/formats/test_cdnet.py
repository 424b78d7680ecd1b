"""CDnet files: labels, region of interest by brightness, both ends of the temporal region."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cvseg.errors import FormatError
from cvseg.formats.cdnet import read_change_labels, read_region_of_interest, read_temporal_region


def test_labels_are_read_as_stored_and_others_are_refused(tmp_path):
    labels = np.array([[0, 50, 85], [170, 255, 0]], np.uint8)
    Image.fromarray(labels).save(tmp_path / "gt000001.png")
    np.testing.assert_array_equal(read_change_labels(tmp_path / "gt000001.png"), labels)
    Image.fromarray(labels + 1).save(tmp_path / "bad.png")
    with pytest.raises(FormatError, match=r"bad\.png holds the labels 1, 51, 86, 171; expected 0, 50, 85, 170, 255"):
        read_change_labels(tmp_path / "bad.png")


def test_the_region_of_interest_goes_by_brightness_not_by_palette_index(tmp_path):
    picture = Image.fromarray(np.array([[0, 1]], np.uint8))
    picture.putpalette([255, 255, 255, 0, 0, 0] + [0] * 762)
    picture.save(tmp_path / "ROI.bmp")
    assert read_region_of_interest(tmp_path / "ROI.bmp").tolist() == [[True, False]]
    (tmp_path / "bad.bmp").write_bytes(b"BM")
    with pytest.raises(FormatError, match=r"bad\.bmp"):
        read_region_of_interest(tmp_path / "bad.bmp")


def test_the_temporal_region_is_two_rising_numbers(tmp_path):
    path = tmp_path / "temporalROI.txt"
    path.write_text("470 1700\n")
    assert read_temporal_region(path) == (470, 1700)
    for text in ("470", "9 3", "1 2 3", "a b", ""):
        path.write_text(text)
        with pytest.raises(FormatError, match=r"temporalROI\.txt, line 1"):
            read_temporal_region(path)
    with pytest.raises(FormatError, match=r"nowhere\.txt cannot be read"):
        read_temporal_region(tmp_path / "nowhere.txt")
