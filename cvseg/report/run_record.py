"""`RunRecord`: gathers what a run did, frame by frame, in little memory; becomes summary.json and the report."""

from __future__ import annotations

import contextlib
import json
import platform
import re
import time
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import cvseg
from cvseg.records import FrameResult

# A list that holds nothing but numbers and null, one a line; a string never holds a line's end as it is.
_NUMBERS = re.compile(r"\[(?:\n *(?:-?\d[\d.e+-]*|null),?)+\n *\]")


@dataclass
class TrackRecord:
    """The course of one track: 20 bytes per frame in which it is seen.

    `evidence_sums` holds the mean evidence of its pixels, by term, summed over its frames; empty where none was asked.
    """

    frames: array[int] = field(default_factory=lambda: array("l"))
    areas_px: array[int] = field(default_factory=lambda: array("l"))
    confidences: array[float] = field(default_factory=lambda: array("f"))
    evidence_sums: dict[str, float] = field(default_factory=dict)

    def mean_confidence(self) -> float:
        return sum(self.confidences) / len(self.frames)

    def confidences_of_span(self) -> list[float | None]:
        """Of every frame from the first to the last, None where the track is not seen."""
        values: list[float | None] = [None] * (self.frames[-1] - self.frames[0] + 1)
        for frame, value in zip(self.frames, self.confidences, strict=True):
            values[frame - self.frames[0]] = round(value, 3)
        return values

    def mean_evidence(self) -> dict[str, float]:
        return {name: total / len(self.frames) for name, total in self.evidence_sums.items()}


@dataclass
class RunRecord:
    """What happened in one run.

    Attributes
    ----------
    source : the input, as the user wrote it
    settings : everything that decides the result: device, preset, options
    status : "running", "complete", "interrupted" or "damaged input"; `message` says more
    scores : figures against a known truth, by name; empty where none is known
    """

    source: str
    settings: Mapping[str, Any]
    status: str = "running"
    message: str = ""
    scores: dict[str, float] = field(default_factory=dict)
    tracks: dict[int, TrackRecord] = field(default_factory=dict)
    times_s: array[float] = field(default_factory=lambda: array("d"))
    confidences: array[float] = field(default_factory=lambda: array("f"))
    size_hw: tuple[int, int] = (0, 0)
    cameras: dict[str, int] = field(default_factory=dict)
    stage_seconds: dict[str, float] = field(default_factory=dict)
    first_frame: int = 0
    seconds: float = 0.0
    _began: float = field(default_factory=time.perf_counter)

    @property
    def frame_count(self) -> int:
        return len(self.times_s)

    def add(self, result: FrameResult, evidence: Mapping[int, Mapping[str, float]] | None = None) -> None:
        """Note one finished frame, and the mean evidence of each of its tracks; the picture itself is not kept."""
        if not self.times_s:
            self.size_hw = (result.labels.shape[0], result.labels.shape[1])
            self.first_frame = result.frame.index
        self.times_s.append(float(result.frame.time_s))
        self.confidences.append(result.confidence)
        self.cameras[result.camera] = self.cameras.get(result.camera, 0) + 1
        self.add_times(result.times_s)
        for track in result.tracks:
            record = self.tracks.setdefault(track.id, TrackRecord())
            record.frames.append(result.frame.index)
            record.areas_px.append(track.area_px)
            record.confidences.append(track.confidence)
            for name, mean in (evidence or {}).get(track.id, {}).items():
                record.evidence_sums[name] = record.evidence_sums.get(name, 0.0) + mean
        self.seconds = time.perf_counter() - self._began

    def add_times(self, stage_seconds: Mapping[str, float]) -> None:
        """Add seconds spent per stage."""
        for stage, seconds in stage_seconds.items():
            self.stage_seconds[stage] = self.stage_seconds.get(stage, 0.0) + seconds

    def end(self, status: str, message: str = "") -> None:
        """Stop the clock and say how the run ended."""
        self.status, self.message = status, message
        self.seconds = time.perf_counter() - self._began

    def to_mapping(self) -> dict[str, Any]:
        """Everything in summary.json; names and units are part of the format, `format` counts their changes."""
        frames = max(1, self.frame_count)
        return {
            "written_by": f"cvseg {cvseg.__version__}",
            "format": 1,
            "status": self.status,
            "message": self.message,
            "input": self.source,
            "video": {
                "frames": self.frame_count,
                "width": self.size_hw[1],
                "height": self.size_hw[0],
                "first_time_s": round(self.times_s[0], 6) if self.times_s else 0.0,
                "last_time_s": round(self.times_s[-1], 6) if self.times_s else 0.0,
                "camera": dict(sorted(self.cameras.items())),
                "confidences": [round(value, 3) for value in self.confidences],
            },
            "settings": dict(self.settings),
            "scores": self.scores,
            "speed": {
                "seconds": round(self.seconds, 3),
                "frames_per_second": round(self.frame_count / self.seconds, 2) if self.seconds else 0.0,
                "stages_ms_per_frame": {
                    stage: round(seconds / frames * 1000, 3) for stage, seconds in self.stage_seconds.items()
                },
            },
            "tracks": [self._track_mapping(number, self.tracks[number]) for number in sorted(self.tracks)],
            "machine": machine_mapping(),
        }

    def to_json(self) -> str:
        """`to_mapping` as text; a list of numbers stands on one line."""
        text = json.dumps(self.to_mapping(), indent=2)
        return _NUMBERS.sub(lambda found: " ".join(found[0].split()).replace("[ ", "[").replace(" ]", "]"), text) + "\n"

    @staticmethod
    def _track_mapping(number: int, record: TrackRecord) -> dict[str, Any]:
        seen = len(record.frames)
        mapping: dict[str, Any] = {
            "id": number,
            "first_frame": record.frames[0],
            "last_frame": record.frames[-1],
            "frames": seen,
            "mean_area_px": round(sum(record.areas_px) / seen, 1),
            "mean_confidence": round(record.mean_confidence(), 3),
            "confidences": record.confidences_of_span(),
        }
        if record.evidence_sums:
            mapping["evidence"] = {name: round(mean, 3) for name, mean in record.mean_evidence().items()}
        return mapping


def machine_mapping() -> dict[str, Any]:
    """Where a run took place: enough to understand its times, nothing that names the user."""
    from cvseg.kernels.bands import thread_count

    versions = {}
    for name in ("numpy", "scipy", "numba", "scikit-image", "av", "pillow", "cupy-cuda12x", "cupy-cuda13x"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "threads": thread_count(),
        "packages": versions,
    }
