"""`cvseg track VIDEO --method particle`: targets given by a box or a mask in the first frame, followed by colours."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import click

from cvseg.errors import OptionError, VideoOpenError

if TYPE_CHECKING:
    from cvseg.records import Frame
    from cvseg.report.track_folder import TrackFolder
    from cvseg.tracking import ParticleTracker


def follow_video(
    source: str,
    out: str,
    *,
    boxes: tuple[str, ...],
    mask: str | None,
    particles: int,
    seed: int,
    overlay: bool,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Follow the targets of the first frame through a video; what is finished stays, whatever happens.

    Raises
    ------
    CvsegError
    SystemExit
        with 130 after Ctrl-C.
    """
    from cvseg.cli.run import counted, finishing, open_input
    from cvseg.cli.segment import check_out
    from cvseg.report.track_folder import TrackFolder
    from cvseg.tracking import ParticleOptions, ParticleTracker
    from cvseg.video import prefetch

    check_out(source, out)
    wanted = [parse_box(text) for text in boxes]
    if not wanted and mask is None:
        raise OptionError("--method particle needs a start: give --box X,Y,W,H, or --mask with a picture.")
    options = ParticleOptions().replaced({"particles": particles})
    settings = {"method": "particle", "boxes": wanted, "mask": mask, "seed": seed, "options": options.to_mapping()}
    tracker = ParticleTracker(options, seed)
    with open_input(source) as opened:
        # Before anything is written: the targets must lie in the picture.
        starts = first_targets(wanted, mask, opened.info.width, opened.info.height)
        folder = TrackFolder(out, opened.info, overlay=overlay, settings=settings, overwrite=overwrite)
        with finishing(folder, out, "frames"):
            with prefetch(opened) as stream:
                for frame in counted(stream, opened.info.frame_count, quiet):
                    _follow(tracker, frame, starts, folder, overlay)
            if not folder.files:
                raise VideoOpenError(f"{source} holds no frames. Is it the right file?")
    if not quiet:
        states = [f"{number} {estimate.status}" for number, estimate in tracker.estimates.items()]
        click.echo(f"{folder.files} frames, at the end: {', '.join(states)}")
        click.echo(f"Results: {out}   (look at {os.path.join(out, 'overlay.mp4' if overlay else 'tracks.txt')})")


def parse_box(text: str) -> tuple[float, float, float, float]:
    """``"X,Y,W,H"`` as a half-open box x0, y0, x1, y1.

    Raises
    ------
    OptionError

    Examples
    --------
    >>> parse_box("10, 20, 30, 40.5")
    (10.0, 20.0, 40.0, 60.5)
    """
    number = r"\s*(-?\d+(?:\.\d+)?)\s*"
    match = re.fullmatch(",".join([number] * 4), text)
    if not match:
        raise OptionError(f"--box is {text!r}; expected four numbers X,Y,W,H in pixels, such as 120,80,40,90.")
    x, y, width, height = (float(value) for value in match.groups())
    if width < 2 or height < 2:
        raise OptionError(f"--box is {text!r}: {width:g} x {height:g} pixels; expected W and H of at least 2.")
    return x, y, x + width, y + height


def first_targets(
    boxes: list[tuple[float, float, float, float]], mask: str | None, width: int, height: int
) -> list[tuple[tuple[float, float, float, float], Any]]:
    """Boxes with the mask of each or None: those given, then one for every value of the mask picture but 0.

    Raises
    ------
    OptionError, FormatError
    """
    import numpy as np

    targets: list[tuple[tuple[float, float, float, float], Any]] = []
    for x0, y0, x1, y1 in boxes:
        given = f"--box {x0:g},{y0:g},{x1 - x0:g},{y1 - y0:g}"
        if min(x1, width) - max(x0, 0) < 2 or min(y1, height) - max(y0, 0) < 2:
            raise OptionError(f"{given} lies outside the picture of {width} x {height} pixels. Check the numbers.")
        targets.append(((max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)), None))
    if mask is not None:
        from cvseg.formats import read_mask

        labels = read_mask(mask)
        if labels.shape != (height, width):
            raise OptionError(
                f"--mask {mask} is {labels.shape[1]} x {labels.shape[0]} pixels; expected {width} x {height} as the "
                "video. Scale one of them."
            )
        for number in np.unique(labels[labels != 0]).tolist():
            ys, xs = np.nonzero(labels == number)
            box = float(xs.min()), float(ys.min()), float(xs.max() + 1), float(ys.max() + 1)
            targets.append((box, labels == number))
        if not targets:
            raise OptionError(f"--mask {mask} is black all over; expected the target in another value than 0.")
    return targets


def _follow(tracker: ParticleTracker, frame: Frame, starts: Any, folder: TrackFolder, overlay: bool) -> None:
    from cvseg.records import Track
    from cvseg.report.particle_picture import draw_particles

    if folder.files == 0:
        for box, mask in starts:
            tracker.start(frame.index, frame.image, [box], None if mask is None else [mask])
    else:
        tracker.update(frame.index, frame.image)
    tracks = []
    for number, estimate in tracker.estimates.items():
        x0, y0, x1, y1 = (float(value) for value in estimate.box_xyxy)
        speed = float(estimate.velocity_xy[0]), float(estimate.velocity_xy[1])
        area, center = round((x1 - x0) * (y1 - y0)), ((x0 + x1) / 2, (y0 + y1) / 2)
        tracks.append(Track(number, (x0, y0, x1, y1), area, center, speed, estimate.confidence, folder.files + 1))
    picture = draw_particles(frame.image, tracker) if overlay else frame.image
    folder.add(frame, tracks, [estimate.status for estimate in tracker.estimates.values()], picture)
