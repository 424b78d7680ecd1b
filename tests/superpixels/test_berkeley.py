"""Block moves on the Berkeley images keep to the edges that people drew."""

import numpy as np
import pytest

from cvseg.evaluation import boundary_recall, undersegmentation_error
from cvseg.formats.bsds import read_bsds_truth
from cvseg.superpixels import segment
from cvseg.video.still_image import read_image


def test_600_superpixels_find_true_edges_and_leak_little(data_folder):
    figures = []
    folder = data_folder / "BSDS500_bench"
    for path in sorted((folder / "images").rglob("*.jpg")):
        labels = segment(read_image(path), count=600)
        truth, _ = read_bsds_truth(next((folder / "groundTruth").rglob(f"{path.stem}.mat")))[0]
        figures.append((boundary_recall(labels, truth), undersegmentation_error(labels, truth)))
    if not figures:
        pytest.skip(f"no Berkeley images in {folder}")
    recall, leaked = np.mean(figures, axis=0)
    assert recall >= 0.88
    assert leaked <= 0.075
