"""`cvseg track`: boxes of a detector become tracks with lasting numbers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cvseg.errors import OptionError, OutputError

if TYPE_CHECKING:
    from cvseg.formats.mot_challenge import TrackTable

METHODS = ("kalman", "particle")
RECOVER_FRAMES = 20  # for which a particle filter follows a track without a box


@click.command(name="track")
@click.argument("source", metavar="INPUT")
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="OUT",
    help="A name ending in .txt: the tracks as MOTChallenge text. Else a folder for all results.",
)
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="kalman",
    show_default=True,
    help="kalman: links the boxes of a detector. particle: follows given targets of a video by their colours.",
)
@click.option("--box", "boxes", multiple=True, metavar="X,Y,W,H", help="particle: a target in the first frame.")
@click.option("--mask", metavar="MASK.png", help="particle: targets of the first frame, a value each; 0 is none.")
@click.option(
    "--particles", type=click.IntRange(10, 1_000_000), default=300, show_default=True, help="particle: guesses."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="particle: of the random numbers.")
@click.option("--no-overlay", is_flag=True, help="particle: do not write overlay.mp4.")
@click.option("--overwrite", is_flag=True, help="Write into a folder that holds something.")
@click.option(
    "--model",
    type=click.Choice(("velocity", "acceleration", "interacting")),
    default="velocity",
    show_default=True,
    help="Motion: constant velocity, constant acceleration, or both, weighed by how well they foretell.",
)
@click.option("--video", metavar="V", help="The video or folder of images of the boxes; colours then help.")
@click.option("--online", is_flag=True, help="Only what is known in each frame: nothing filled, linked or smoothed.")
@click.option(
    "--recover",
    type=click.Choice(("particle",)),
    help="With --video and --online: a particle filter follows, for up to 20 frames, whoever's box is missing.",
)
@click.option("--sort", is_flag=True, help="Accept lines in any order of frames.")
@click.option(
    "--start",
    "starts",
    multiple=True,
    metavar="X,Y,W,H|FILE",
    help="Follow only this target: a box in the first frame, a file of boxes (MOTChallenge), or a mask PNG.",
)
@click.option("--zone", "zones", multiple=True, metavar="NAME=x,y x,y ...", help="A polygon: who enters and leaves.")
@click.option("--line", "lines", multiple=True, metavar="NAME=x1,y1,x2,y2", help="A line: who crosses, to which side.")
@click.option("--homography", metavar="FILE", help="3 x 3 numbers, picture to ground in metres; then speeds are m/s.")
@click.option(
    "--point",
    type=click.Choice(("foot", "center")),
    default="foot",
    show_default=True,
    help="What is measured: the middle of the lower side of the box, or of the box.",
)
@click.option(
    "--rate", type=click.FloatRange(0, min_open=True), help="Frames per second, where no --video says it. [25]"
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def command(
    source: str,
    out: str,
    method: str,
    boxes: tuple[str, ...],
    mask: str | None,
    particles: int,
    seed: int,
    no_overlay: bool,
    overwrite: bool,
    model: str,
    video: str | None,
    online: bool,
    recover: str | None,
    sort: bool,
    starts: tuple[str, ...],
    zones: tuple[str, ...],
    lines: tuple[str, ...],
    homography: str | None,
    point: str,
    rate: float | None,
    quiet: bool,
) -> None:
    """Follow the boxes or masks of INPUT over time: every object keeps its number.

    INPUT has a line for each box: frame, id, left, top, width, height, score. Frames and pixels count from 1, the id is
    not looked at, and the scores may have any scale. A line that cannot be used is named, and nothing is written then.

    Masks: a folder of PNGs, MOTS text, or JSON with a list of {"frame", "segmentation": {"size", "counts"}, "score"}.

    A folder OUT receives tracks.txt, tracks.csv (place, speed, heading, path), paths.png, heatmap.png, summary.json,
    for masks masks/*.png with the numbers of the tracks, and with --zone or --line events.csv.

    With --method particle INPUT is a video or a folder of images, and --box or --mask says what to follow from its
    first frame on. OUT is then a folder that receives tracks.txt, overlay.mp4 and summary.json.
    """
    if method == "particle":
        from cvseg.cli.track_particles import follow_video

        refuse_options({"--video": video, "--online": online, "--recover": recover}, method)
        refuse_options({"--sort": sort, "--start": starts}, method)
        refuse_options({"--zone": zones, "--line": lines, "--homography": homography, "--rate": rate}, method)
        follow_video(
            source,
            out,
            boxes=boxes,
            mask=mask,
            particles=particles,
            seed=seed,
            overlay=not no_overlay,
            overwrite=overwrite,
            quiet=quiet,
        )
        return
    refuse_options({"--box": boxes, "--mask": mask, "--no-overlay": no_overlay}, method)
    from cvseg.formats.mask_stream import is_mask_input

    if recover and not (video and online):
        raise OptionError(
            f"--recover {recover} follows colours from frame to frame; it needs --video and --online. Give both, or "
            "leave it out: a whole file is tracked better without it."
        )
    if recover and is_mask_input(source):
        raise OptionError(f"--recover {recover} is for boxes, and {source} holds masks. Leave it out.")
    if starts or not out.lower().endswith(".txt") or is_mask_input(source):
        from cvseg.cli.track_folder import follow_to_folder

        follow_to_folder(
            source,
            out,
            follow=lambda table: follow_boxes(table, model=model, online=online, video=video, recover=recover),
            sort=sort,
            video=video,
            overwrite=overwrite,
            starts=starts,
            zones=zones,
            lines=lines,
            homography=homography,
            point=point,
            rate=rate,
            quiet=quiet,
        )
        return
    refuse_in_file({"--zone": zones, "--line": lines, "--homography": homography, "--rate": rate}, out)
    check_output(source, out)
    table = read_boxes(source, sort=sort)
    tracks = follow_boxes(table, model=model, online=online, video=video, recover=recover)
    write_tracks(out, tracks)
    if not quiet:
        count = len(set(tracks.ids.tolist()))
        click.echo(f"{len(table)} boxes, {int(table.frames.max()) + 1} frames: {count} tracks in {out}", err=True)


def refuse_options(given: Mapping[str, Any], method: str) -> None:
    """Options of the other method are an error: passing them over would hide a mistake.

    Raises
    ------
    OptionError
    """
    for name, value in given.items():
        if value:
            other = "kalman" if method == "particle" else "particle"
            raise OptionError(f"{name} does not go with --method {method}; give --method {other}, or leave it out.")


def refuse_in_file(given: Mapping[str, Any], out: str) -> None:
    """Options that say what a folder of results holds need one.

    Raises
    ------
    OptionError
    """
    for name, value in given.items():
        if value:
            raise OptionError(f"{name} needs a folder for its results, and -o is {out}. Name a folder with -o.")


def check_output(source: str, out: str) -> None:
    """Refuse to write over the input, or where nothing can be written.

    Raises
    ------
    OptionError, OutputError
    """
    if not out:
        raise OptionError("-o is empty; expected the name of a file for the tracks.")
    if os.path.exists(source) and os.path.realpath(source) == os.path.realpath(out):
        raise OptionError(f"-o {out} is the input itself. Name another file for the tracks.")
    if Path(out).is_dir():
        raise OutputError(f"{out} is a folder; expected a file name such as {Path(out) / 'tracks.txt'}.")


def read_boxes(source: str, *, sort: bool) -> TrackTable:
    """Detections of a text file.

    Raises
    ------
    FormatError
    """
    from cvseg.formats.detections import read_detections

    return read_detections(source, sort=sort)


def follow_boxes(
    table: TrackTable, *, model: str, online: bool, video: str | None, recover: str | None = None
) -> TrackTable:
    """Tracks of a table of detections.

    Raises
    ------
    VideoError
    """
    from cvseg.tracking import BoxTrackerOptions, track_boxes, track_boxes_online

    options = BoxTrackerOptions().replaced({"motion": {"model": model}, "recover": RECOVER_FRAMES if recover else 0})
    run: Any = track_boxes_online if online else track_boxes
    if video is None:
        tracks: TrackTable = run(table, options)
        return tracks
    from cvseg.cli.run import open_input

    with open_input(video) as opened:
        followed: TrackTable = run(table, options, frames=pictures_in_order(opened, int(table.frames.max()) + 1))
        return followed


def pictures_in_order(source: Any, count: int) -> Callable[[int], Any]:
    """Function of the frame number, which must rise from call to call, giving the picture.

    Raises
    ------
    OptionError
        when the video is shorter than the detections.
    """
    frames = enumerate(source)

    def picture(number: int) -> Any:
        for index, frame in frames:
            if index == number:
                return frame.image
        raise OptionError(
            f"--video ends before frame {number + 1}; the detections have {count} frames. Check the video."
        )

    return picture


def write_tracks(out: str, tracks: TrackTable) -> None:
    """MOTChallenge text; the whole file or none.

    Raises
    ------
    OutputError
    """
    from cvseg.formats.mot_challenge import write_track_table

    write_track_table(out, tracks)
