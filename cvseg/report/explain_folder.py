"""`ExplainFolder`: writes why each pixel was taken: a picture per frame, and a line per frame and object."""

from __future__ import annotations

import contextlib
from pathlib import Path

from cvseg.errors import OutputError
from cvseg.records import EVIDENCE_TERMS, FrameResult
from cvseg.report.evidence_picture import draw_evidence
from cvseg.video.growing_text import GrowingText
from cvseg.video.replace_file import file_in, prepare_folder, replacing

EXPLAIN, EXPLAIN_TABLE = "explain", "explain.csv"
COLUMNS = ("frame", "track", *EVIDENCE_TERMS, "area_px", "confidence")
SUFFIX = ".jpg"

Means = dict[int, dict[str, float]]


class ExplainFolder:
    """Grows by a picture a frame; `close` finishes the table.

    Parameters
    ----------
    folder : of the results; receives explain/*.jpg, named like the masks, and explain.csv

    Raises
    ------
    OutputError
    """

    def __init__(self, folder: Path) -> None:
        self._pictures = prepare_folder(folder / EXPLAIN)
        self._table = GrowingText(folder / EXPLAIN_TABLE)
        self._table.write(",".join(COLUMNS) + "\n")

    def draw(self, result: FrameResult) -> Means:
        """Write the picture of one frame, whole or not at all. Returns the mean evidence of each of its tracks.

        Raises
        ------
        OutputError
        """
        from PIL import Image

        if result.evidence is None:
            raise OutputError(
                f"frame {result.frame.name} carries no evidence, so {EXPLAIN} cannot be written. "
                "Call segment with explain=True."
            )
        means = result.evidence.track_means(result.labels, [track.id for track in result.tracks])
        with replacing(file_in(self._pictures, result.frame.name, SUFFIX)) as partial:
            Image.fromarray(draw_evidence(result, means)).save(partial, "JPEG", quality=82)
        return means

    def note(self, result: FrameResult, means: Means) -> None:
        """Add a line per track of the frame to the table."""
        lines = []
        for track in result.tracks:
            terms = [f"{means[track.id][name]:.4f}" for name in EVIDENCE_TERMS]
            row = (result.frame.index, track.id, *terms, track.area_px, f"{track.confidence:.4f}")
            lines.append(",".join(map(str, row)) + "\n")
        self._table.write("".join(lines))

    def forget(self, name: str) -> None:
        """Remove the picture of a frame whose other files could not be written."""
        with contextlib.suppress(OSError):
            file_in(self._pictures, name, SUFFIX).unlink()

    def close(self) -> None:
        self._table.close()


def remove_explanation(folder: Path) -> None:
    """Remove what an earlier run wrote; other files stay."""
    (folder / EXPLAIN_TABLE).unlink(missing_ok=True)
    pictures = folder / EXPLAIN
    if pictures.is_dir():
        for file in pictures.glob(f"*{SUFFIX}"):
            file.unlink()
        with contextlib.suppress(OSError):  # it holds something else
            pictures.rmdir()
