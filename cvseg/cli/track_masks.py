"""`cvseg track` of masks: a folder of PNGs, MOTS text or COCO JSON becomes masks and tracks with lasting numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cvseg.errors import OptionError

if TYPE_CHECKING:
    from cvseg.formats.mot_challenge import TrackTable
    from cvseg.masks.label_runs import LabelRuns


@dataclass(frozen=True, eq=False)
class FollowedMasks:
    """All frames: names of the files, masks with the numbers of the tracks, and the tracks' boxes."""

    names: list[str]
    masks: list[LabelRuns]
    tracks: TrackTable


def follow_masks(source: str, *, video: str | None) -> FollowedMasks:
    """Follow the objects of mask files; ids in the files are not looked at.

    With a video its colours and its optical flow help.

    Raises
    ------
    FormatError, VideoError, OptionError
    """
    from contextlib import ExitStack

    from cvseg.cli.run import open_input
    from cvseg.formats.mask_stream import read_mask_frames
    from cvseg.formats.mot_challenge import TrackTable
    from cvseg.masks.label_runs import label_runs
    from cvseg.tracking import Tracker

    tracker = Tracker()
    names: list[str] = []
    masks: list[LabelRuns] = []
    rows: list[tuple[float, ...]] = []
    held: list[Any] = []

    def read(tracked: Any) -> None:
        index = len(masks)
        masks.append(label_runs(np.asarray(tracked.labels)))
        rows.extend((index, track.id, *track.box_xyxy, track.confidence) for track in tracked.tracks)

    with ExitStack() as stack:
        frames = iter(stack.enter_context(open_input(video))) if video else None
        flows = _BackwardFlow() if video else None
        for mask in read_mask_frames(source):
            image = flow = None
            if frames is not None and flows is not None:
                picture = next(frames, None)
                if picture is None:
                    raise OptionError(f"--video ends before frame {mask.index + 1} of the masks. Check the video.")
                image = picture.image
                if image.shape[:2] != mask.labels.shape:
                    raise OptionError(
                        f"--video is {image.shape[1]}x{image.shape[0]} pixels; expected "
                        f"{mask.labels.shape[1]}x{mask.labels.shape[0]} as the masks."
                    )
                flow = flows.to_last(image)
            names.append(mask.name)
            held.append(tracker.update(mask.index, mask.labels, image=image, flow_backward_xy=flow))
            # Whoever begins has its number some frames later, and is then shown from its first frame on.
            if len(held) >= tracker.options.min_hits:
                read(held.pop(0))
    tracker.end_shot()
    for tracked in held:
        read(tracked)
    table = np.array(rows, np.float64).reshape(-1, 7)
    count = len(table)
    tracks = TrackTable(
        frames=table[:, 0].astype(np.int32),
        ids=table[:, 1].astype(np.int32),
        boxes_xyxy=table[:, 2:6].copy(),
        confidences=table[:, 6].copy(),
        extra=np.full((count, 3), -1.0),
    )
    return FollowedMasks(names, masks, tracks)


class _BackwardFlow:
    """Flow from each picture to the one before."""

    def __init__(self) -> None:
        self._last: Any = None

    def to_last(self, image: Any) -> Any:
        from cvseg.color.gray import gray_image
        from cvseg.flow import estimate_flow

        gray = gray_image(image)
        last, self._last = self._last, gray
        return None if last is None else estimate_flow(gray, last)


def chosen_labels(labels: Any, numbers: dict[int, int]) -> Any:
    """Label map with only the chosen ids, renumbered."""
    table = np.zeros(int(labels.max(initial=0)) + 1, np.int32)
    for old, new in numbers.items():
        if old < len(table):
            table[old] = new
    return table[labels]
