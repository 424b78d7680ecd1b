"""Protocols: each compares a folder of results with a folder of truth, as one benchmark of the field prescribes.

A protocol is a module with an `Options` class and

    evaluate(results: Path, truth: Path, options, progress=None) -> Evaluation

`progress(done, total)` is called after every frame; when it returns False, `EvaluationStopped` is raised.
`cvseg evaluate NAME` makes its flags from the options.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from cvseg.errors import InputError

Progress = Callable[[int, int], "bool | None"]


class EvaluationStopped(InputError):
    """The caller's `progress` asked to stop."""


@dataclass(frozen=True)
class Protocol:
    """One row of `PROTOCOLS`.

    Attributes
    ----------
    doc : one line for `cvseg evaluate --help`
    module : name below `cvseg.evaluation.protocols`
    options : name of its `Options` class in that module
    """

    doc: str
    module: str
    options: str

    def load(self) -> ModuleType:
        return importlib.import_module(f"cvseg.evaluation.protocols.{self.module}")


# One line per protocol; the modules are imported when they are used.
PROTOCOLS: dict[str, Protocol] = {
    "davis": Protocol("video object segmentation: J, F and T of masks", "davis", "DavisProtocolOptions"),
    "change": Protocol("change detection: CDnet's measures of motion masks", "change", "ChangeProtocolOptions"),
    "tracking": Protocol("tracks: HOTA, CLEAR and IDF1 of boxes and masks", "tracking", "TrackingProtocolOptions"),
    "instances": Protocol("scored instances: AP of masks and tubes", "instances", "InstancesProtocolOptions"),
    "semantic": Protocol("classes of pixels: IoU and accuracy", "semantic", "SemanticProtocolOptions"),
    "panoptic": Protocol("things and stuff: PQ, VPQ, STQ and with depth", "panoptic", "PanopticProtocolOptions"),
    "regions": Protocol(
        "segmentations and superpixels of images: the Berkeley benchmark", "regions", "RegionsProtocolOptions"
    ),
    "shots": Protocol("shot boundaries: cuts and gradual transitions", "shots", "ShotsProtocolOptions"),
    "flow": Protocol("optical flow: endpoint error, outliers, angle, by region", "flow", "FlowProtocolOptions"),
}


def report_progress(progress: Progress | None, done: int, total: int) -> None:
    """Tell `progress`, and stop when it says so.

    Raises
    ------
    EvaluationStopped
    """
    if progress is not None and progress(done, total) is False:
        raise EvaluationStopped(f"evaluation: stopped by the caller after {done} of {total}; nothing was written.")
