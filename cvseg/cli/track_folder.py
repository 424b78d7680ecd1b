"""`cvseg track -o FOLDER`: boxes or masks are followed, the targets chosen, and all results written."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from cvseg.cli.track_outputs import parse_line, parse_starts, parse_zone, prepare_outputs, write_outputs
from cvseg.errors import OptionError

if TYPE_CHECKING:
    from cvseg.formats.mot_challenge import TrackTable


def follow_to_folder(
    source: str,
    out: str,
    *,
    follow: Callable[[TrackTable], TrackTable],
    sort: bool,
    video: str | None,
    overwrite: bool,
    starts: tuple[str, ...],
    zones: tuple[str, ...],
    lines: tuple[str, ...],
    homography: str | None,
    point: str,
    rate: float | None,
    quiet: bool,
) -> None:
    """Follow everything, keep the targets, write the folder, or only the text file where `out` ends in .txt.

    Raises
    ------
    CvsegError
    """
    from cvseg.cli.track import check_output, read_boxes, refuse_in_file, write_tracks
    from cvseg.cli.track_masks import follow_masks
    from cvseg.formats.mask_stream import is_mask_input
    from cvseg.tracking.start_targets import chosen_ids, only_targets
    from cvseg.tracking.track_motion import read_homography

    only_text = out.lower().endswith(".txt")
    if only_text:
        refuse_in_file({"--zone": zones, "--line": lines, "--homography": homography, "--rate": rate}, out)
        check_output(source, out)
    elif not out or (os.path.exists(source) and os.path.realpath(source) == os.path.realpath(out)):
        raise OptionError(f"-o is {out!r}; expected the name of a folder for the results, not that of the input.")
    # Everything that can be wrong with the options is said before the long work.
    areas, gates = [parse_zone(text) for text in zones], [parse_line(text) for text in lines]
    names = [area.name for area in areas] + [gate.name for gate in gates]
    if len(set(names)) < len(names):
        raise OptionError("two zones or lines have the same name; expected each name once.")
    targets = parse_starts(starts)
    ground = read_homography(homography) if homography else None
    masks = None
    if is_mask_input(source):
        masks = follow_masks(source, video=video)
        tracks, frames = masks.tracks, len(masks.names)
    else:
        table = read_boxes(source, sort=sort)
        tracks, frames = follow(table), int(table.frames.max()) + 1
    numbers = None
    if targets:
        chosen = chosen_ids(tracks, targets)
        numbers = {old: target.id for old, target in chosen.items()}
        tracks = only_targets(tracks, chosen)
    count = len(set(tracks.ids.tolist()))
    if only_text:
        write_tracks(out, tracks)
    else:
        times, picture = _times_and_picture(video, frames, rate)
        if picture is not None:
            size_hw = picture.shape[:2]
        elif masks is not None:
            size_hw = masks.masks[0].size_hw
        else:
            corner = tracks.boxes_xyxy[:, 2:].max(0, initial=16.0)
            size_hw = int(np.ceil(corner[1])), int(np.ceil(corner[0]))
        write_outputs(
            prepare_outputs(out, overwrite),
            tracks,
            times_s=times,
            size_hw=(int(size_hw[0]), int(size_hw[1])),
            picture=picture,
            masks=masks,
            numbers=numbers,
            homography=ground,
            point=point,
            zones=areas,
            lines=gates,
            source=source,
        )
    if not quiet:
        click.echo(f"{frames} frames: {count} tracks in {out}", err=True)


def _times_and_picture(video: str | None, frames: int, rate: float | None) -> tuple[Any, Any]:
    """Presentation time of each frame in seconds, and the first picture, from the video where there is one."""
    from cvseg.cli.run import open_input
    from cvseg.video.source import DEFAULT_RATE

    even = np.arange(frames) / (rate or float(DEFAULT_RATE))
    if video is None:
        return even, None
    times, picture = [], None
    with open_input(video) as opened:
        for frame in opened:
            picture = frame.image if picture is None else picture
            times.append(float(frame.time_s))
            if len(times) == frames or (rate is not None and times):
                break
    if rate is not None or len(times) < frames:
        return even, picture
    return np.array(times), picture
