"""`SupervoxelFolder`: the regions of a video on some levels as label maps, and what they look like."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import cvseg
from cvseg.records import Frame
from cvseg.report.run_record import machine_mapping
from cvseg.report.superpixel_folder import KINDS, SUMMARY, LabelFolder
from cvseg.video import SourceInfo
from cvseg.video.replace_file import prepare_own_folder, replacing


def level_name(level: int) -> str:
    """Folder of a level.

    >>> level_name(8)
    'level-08'
    """
    return f"level-{level:02}"


class SupervoxelFolder:
    """The folder that `cvseg supervoxels INPUT -o` names: a folder for each level, and summary.json.

    A level's folder holds ``labels/<frame>.png`` and a video for each view.

    Parameters
    ----------
    path : made if it is missing
    info : of the source: rate and times of the videos; None for a single picture, whose views are pictures
    kind : "png" or "npz"
    views : keys of `cvseg.report.superpixel_folder.VIEWS`
    settings : for summary.json
    overwrite : write into a folder that holds something, over files of the same names

    Attributes
    ----------
    files : frames that are finished
    cuts : indices of frames that begin a new shot, to be filled by the caller

    Raises
    ------
    OutputError
        when the folder holds something and `overwrite` is not set, or cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        info: SourceInfo | None,
        *,
        kind: str = "png",
        views: Sequence[str] = ("boundaries",),
        settings: Mapping[str, Any] | None = None,
        overwrite: bool = False,
    ) -> None:
        self.path = prepare_own_folder(path, "supervoxels", overwrite=overwrite)
        self.files = 0
        self.cuts: list[int] = []
        self._info, self._ending, self._views = info, KINDS[kind], tuple(views)
        self._settings = dict(settings or {})
        self._levels: dict[int, LabelFolder] = {}
        self._began = time.perf_counter()

    def add(self, frame: Frame, labels: Mapping[int, NDArray[np.int32]]) -> None:
        """Write and draw the (H, W) int32 labels of `frame`, by level; the same levels for each frame."""
        for level, own in labels.items():
            if level not in self._levels:
                self._levels[level] = LabelFolder(self.path / level_name(level), self._info, self._ending, self._views)
            self._levels[level].add(frame, own)
        self.files += 1

    def end(self, status: str = "complete", message: str = "") -> None:
        """Finish the videos and write summary.json; files that are written stay, whatever the status."""
        for folder in self._levels.values():
            folder.end()
        summary = {
            "status": status,
            "message": message,
            "files": self.files,
            "levels": {
                str(level): {"supervoxels": len(folder.seen), "in_each_frame": folder.counts}
                for level, folder in sorted(self._levels.items())
            },
            "cuts": self.cuts,
            "frames_per_second": round(self.files / max(1e-9, time.perf_counter() - self._began), 2),
            "settings": self._settings,
            "machine": machine_mapping(),
            "written_by": f"cvseg {cvseg.__version__}",
        }
        with replacing(self.path / SUMMARY) as partial:
            partial.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
