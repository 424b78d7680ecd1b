"""`cvseg supervoxels`: a video divided into regions that go on through time, on some levels of a hierarchy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from cvseg.cli.segment import DEVICES, check_out
from cvseg.cli.superpixels import KINDS, VIEWS
from cvseg.errors import OptionError

FLOWS = ("none", "fast", "balanced", "quality")  # a test compares them with the method's
MOST_LEVELS = 30
DEFAULT_COUNT = 300


def parse_levels(text: str) -> list[int]:
    """Whole numbers between commas, each once, in rising order.

    Raises
    ------
    OptionError

    Examples
    --------
    >>> parse_levels("8,14, 8")
    [8, 14]
    """
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdigit() and int(word) <= MOST_LEVELS for word in words):
        raise OptionError(
            f"--levels is {text!r}; expected whole numbers from 0, the superpixels, to {MOST_LEVELS}, the coarsest, "
            "with commas between them, such as 8,14,20."
        )
    return sorted({int(word) for word in words})


@click.command(name="supervoxels")
@click.argument("source", metavar="INPUT")
@click.option("-o", "--out", required=True, metavar="OUT", help="Folder for the results; made if it is missing.")
@click.option("--levels", metavar="K,K,...", help="Levels to write: 0 has the superpixels, 30 the largest regions.")
@click.option(
    "--count",
    type=click.IntRange(1),
    multiple=True,
    metavar="N",
    help=f"The level with about N regions in the first frames that are ready; repeatable. [default: {DEFAULT_COUNT}]",
)
@click.option("--superpixels", type=click.IntRange(1), metavar="N", help="In a frame. [default: one for 200 pixels]")
@click.option("--flow", type=click.Choice(FLOWS), default="fast", show_default=True, help="Preset of the optical flow.")
@click.option("--window", type=click.IntRange(1), default=16, show_default=True, help="Frames decided at once.")
@click.option(
    "--device", type=click.Choice(DEVICES), default="auto", show_default=True, help="auto: a GPU if one can be used."
)
@click.option("--write", type=click.Choice(KINDS), default="png", show_default=True, help="Files of labels.")
@click.option(
    "--show", type=click.Choice(VIEWS), multiple=True, default=("boundaries",), show_default=True, help="Repeatable."
)
@click.option("--no-show", is_flag=True, help="Write labels only.")
@click.option("--overwrite", is_flag=True, help="Write into a folder that holds something.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def command(
    source: str,
    out: str,
    levels: str | None,
    count: tuple[int, ...],
    superpixels: int | None,
    flow: str,
    window: int,
    device: str,
    write: str,
    show: tuple[str, ...],
    no_show: bool,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Supervoxels of INPUT: a video, a folder of pictures, a picture, or '-' for standard input.

    OUT receives a folder for each level, level-08 and so on, with labels/<frame>.png (16 bits; three channels where
    numbers are above 65535: red + 256 green + 65536 blue) or .npz (32 bits), and a video for each --show; and
    summary.json.

    A number means the same region in every frame of a level, and never another one. Regions are decided for some frames
    at once, so that results come a second late. At a shot cut all regions end.
    """
    from cvseg.arrays import choose_device

    wanted = parse_levels(levels) if levels is not None else []
    check_out(source, out)
    settings = {
        "levels": wanted,
        "counts": list(count) or ([] if wanted else [DEFAULT_COUNT]),
        "superpixels": superpixels,
        "flow": flow,
        "window": window,
        "device": choose_device(device),
    }
    folder_options = {"kind": write, "views": () if no_show else tuple(dict.fromkeys(show)), "overwrite": overwrite}
    _run(source, out, settings, folder_options, quiet)


def _run(name: str, out: str, settings: dict[str, Any], folder_options: dict[str, Any], quiet: bool) -> None:
    """Write the regions of every frame that is decided; what is finished stays, whatever happens."""
    from cvseg.cli.run import counted, finishing, open_input
    from cvseg.errors import VideoOpenError
    from cvseg.report.supervoxel_folder import SupervoxelFolder
    from cvseg.video import prefetch
    from cvseg.video.still_image import IMAGE_SUFFIXES

    single = Path(name).is_file() and Path(name).suffix.lower() in IMAGE_SUFFIXES
    with open_input(name) as source:
        info = None if single else source.info
        folder = SupervoxelFolder(out, info, settings=settings, **folder_options)
        with finishing(folder, out, "frames"):
            with prefetch(source) as frames:
                for frame, labels in _labelled(counted(frames, source.info.frame_count, quiet), settings, folder.cuts):
                    folder.add(frame, labels)
            if folder.files == 0:
                raise VideoOpenError(f"{name} holds no frames. Is it the right file?")
    if not quiet:
        click.echo(f"Supervoxels of {folder.files} frame{'' if folder.files == 1 else 's'}: {out}")


def _labelled(frames: Iterable[Any], settings: dict[str, Any], cuts: list[int]) -> Iterator[tuple[Any, dict[int, Any]]]:
    """Frames that are finished, and their labels by level. Found cuts are added to `cuts`."""
    from cvseg.arrays import to_host
    from cvseg.supervoxels import SupervoxelOptions, SupervoxelStream

    options = SupervoxelOptions(flow=settings["flow"], window=settings["window"])
    stream = SupervoxelStream(count=settings["superpixels"], options=options, device=settings["device"])
    waiting: list[Any] = []
    levels: list[int] = []

    def ready(part: Any) -> Iterator[tuple[Any, dict[int, Any]]]:
        if part is None:
            return
        if not levels:
            levels.extend(sorted({*settings["levels"], *(part.level_with(count) for count in settings["counts"])}))
        for i in range(len(part)):
            yield waiting.pop(0), {level: to_host(part.frame(i, level)) for level in levels}

    for frame in frames:
        waiting.append(frame)
        part = stream.update(frame.image)
        cuts.extend(stream.cuts)
        yield from ready(part)
    yield from ready(stream.finish())
