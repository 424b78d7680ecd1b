"""`cvseg segment`: the moving objects of a video as masks, tracks, an overlay video and a report."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from cvseg.errors import OptionError

# Presets and devices are named here and not read from the pipeline, so that `--help` loads nothing; a test compares.
PRESETS = ("fast", "balanced", "quality")
DEVICES = ("auto", "cpu", "cuda")


@click.command(name="segment")
@click.argument("source", metavar="INPUT")
@click.option("-o", "--out", required=True, metavar="OUT", help="Folder for the results; made if it is missing.")
@click.option(
    "--device", type=click.Choice(DEVICES), default="auto", show_default=True, help="auto: a GPU if one can be used."
)
@click.option(
    "--preset", type=click.Choice(PRESETS), default="balanced", show_default=True, help="Speed against accuracy."
)
@click.option(
    "--roi", metavar="X,Y,W,H|MASK.png", help="Look only inside this box, or where this picture is not black."
)
@click.option("--min-area", metavar="PX|%", help="Leave out objects smaller than this: pixels, or a share as in 0.1%.")
@click.option(
    "--max-height",
    type=click.IntRange(16),
    metavar="PX",
    help="Shrink taller frames first; the results have that size.",
)
@click.option("--no-overlay", is_flag=True, help="Do not write overlay.mp4.")
@click.option("--explain", is_flag=True, help="Write explain/*.jpg and explain.csv: why each pixel was taken.")
@click.option("--overwrite", is_flag=True, help="Replace the results of an earlier run in OUT.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def command(
    source: str,
    out: str,
    device: str,
    preset: str,
    roi: str | None,
    min_area: str | None,
    max_height: int | None,
    no_overlay: bool,
    explain: bool,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Segment and track the moving objects of INPUT: a video file, a folder of images, or '-' for standard input.

    OUT receives masks/*.png (one per frame; the value of a pixel is the id of its track, 0 the background), tracks.txt
    (MOTChallenge), overlay.mp4, report.html and summary.json; with --explain also explain/*.jpg, what spoke for and
    against each pixel, and explain.csv, the same per object and frame. An OUT that holds anything is refused unless
    --overwrite is given. --roi and --min-area count pixels of INPUT, also with --max-height.

    Ctrl-C, a damaged input and a full disk end the run early: every finished frame is kept, and all files agree. Exit
    code: 0 when the whole input was read, 2 after an error, 130 after Ctrl-C.
    """
    from cvseg.arrays import choose_device
    from cvseg.cli.run import open_input, print_where_to_look, run_to_folder
    from cvseg.cli.shrunk_source import ShrunkSource
    from cvseg.pipeline import PRESETS as OPTIONS
    from cvseg.pipeline import segment

    box = parse_roi(roi)
    check_out(source, out)
    chosen = choose_device(device)
    with open_input(source) as opened:
        area_px = parse_min_area(min_area, opened.info.width, opened.info.height)
        frames = ShrunkSource(opened, max_height or opened.info.height)
        if area_px is not None:
            area_px = round(area_px * frames.scale**2)
        settings = {
            "device": chosen,
            "preset": preset,
            "roi": roi,
            "min_area": min_area,
            "max_height": max_height,
            "options": OPTIONS[preset].to_mapping(),
        }
        record = run_to_folder(
            frames,
            out,
            name=source,
            settings=settings,
            results=lambda: segment(
                frames,
                preset=preset,
                device=chosen,
                roi=frames.shrink_roi(box),
                min_area=area_px,
                explain=explain,
            ),
            overlay=not no_overlay,
            explain=explain,
            overwrite=overwrite,
            quiet=quiet,
        )
    if not quiet:
        print_where_to_look(out, record)


def parse_roi(text: str | None) -> tuple[int, int, int, int] | str | None:
    """``"X,Y,W,H"`` as four numbers, else the name of an existing mask picture.

    Raises
    ------
    OptionError

    Examples
    --------
    >>> parse_roi("10, 20, 300, 200")
    (10, 20, 300, 200)
    """
    if text is None:
        return None
    numbers = re.fullmatch(r"\s*(-?\d+)\s*,\s*(-?\d+)\s*,\s*(-?\d+)\s*,\s*(-?\d+)\s*", text)
    if numbers:
        x, y, width, height = (int(number) for number in numbers.groups())
        if x < 0 or y < 0 or width < 1 or height < 1:
            raise OptionError(
                f"--roi is {text!r}; expected X,Y,W,H with X and Y at least 0 and W and H at least 1, in pixels."
            )
        return x, y, width, height
    if Path(text).is_file():
        return text
    raise OptionError(
        f"--roi is {text!r}; expected four whole numbers X,Y,W,H, or the name of an existing mask picture."
    )


def parse_min_area(text: str | None, width: int, height: int) -> int | None:
    """Pixels from ``"250"`` or from a share of the frame, ``"0.1%"``.

    Raises
    ------
    OptionError

    Examples
    --------
    >>> parse_min_area("250", 640, 480), parse_min_area("0.1%", 640, 480)
    (250, 307)
    """
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%|px)?\s*", text)
    if not match or (match[2] != "%" and "." in match[1]) or (match[2] == "%" and float(match[1]) > 100):
        raise OptionError(f"--min-area is {text!r}; expected pixels such as 250, or a share of the frame such as 0.1%.")
    if match[2] != "%" and int(match[1]) > width * height:
        raise OptionError(f"--min-area is {text!r}; expected at most the {width * height} pixels of a frame.")
    if match[2] == "%":
        return round(float(match[1]) / 100 * width * height)
    return int(match[1])


def check_out(source: str, out: str) -> None:
    """Refuse to write results over the input.

    Raises
    ------
    OptionError
    """
    if not out:
        raise OptionError("-o is empty; expected the name of a folder for the results.")
    if source != "-" and os.path.exists(source) and os.path.realpath(source) == os.path.realpath(out):
        raise OptionError(f"-o {out} is the input itself. Name another folder for the results.")
