"""`cvseg superpixels`: pictures or a video divided into small connected regions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cvseg.cli.segment import DEVICES, PRESETS, check_out
from cvseg.errors import OptionError, nearest_name

KINDS = ("png", "npz")  # a test compares both with cvseg.report.superpixel_folder
VIEWS = ("boundaries", "means", "numbers")


@click.command(name="superpixels")
@click.argument("source", metavar="INPUT")
@click.option("-o", "--out", required=True, metavar="OUT", help="Folder for the results; made if it is missing.")
@click.option("--method", default="block_moves", show_default=True, metavar="NAME", help="Which method; see below.")
@click.option("--count", type=click.IntRange(1), default=600, show_default=True, help="Wished number in a frame.")
@click.option(
    "--compactness", type=click.FloatRange(0), metavar="M", help="Larger is rounder; each method has its own."
)
@click.option(
    "--preset", type=click.Choice(PRESETS), default="balanced", show_default=True, help="Speed against accuracy."
)
@click.option(
    "--device", type=click.Choice(DEVICES), default="auto", show_default=True, help="auto: a GPU if one can be used."
)
@click.option("--independent", is_flag=True, help="Every frame by itself: numbers mean nothing in the next one.")
@click.option("--no-flow", is_flag=True, help="Carry superpixels without motion: faster, for a camera that stands.")
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
    method: str,
    count: int,
    compactness: float | None,
    preset: str,
    device: str,
    independent: bool,
    no_flow: bool,
    write: str,
    show: tuple[str, ...],
    no_show: bool,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Superpixels of INPUT: a picture, a folder of pictures, a video, or '-' for standard input.

    OUT receives labels/<frame>.png (16 bits; three channels where numbers are above 65535: red + 256 green +
    65536 blue) or .npz, a picture or video for each --show, and summary.json.

    With method block_moves the frames of a video or folder follow each other: superpixels keep their numbers along the
    optical flow. Other methods, and --independent, divide every frame by itself.

    Methods: block_moves (the default), slic and others: see docs/methods/superpixels.md.
    """
    from cvseg.arrays import choose_device
    from cvseg.superpixels import SUPERPIXEL_METHODS
    from cvseg.video.still_image import IMAGE_SUFFIXES

    if method not in SUPERPIXEL_METHODS:
        raise OptionError(f"--method is {method!r}; {nearest_name(method, SUPERPIXEL_METHODS)}")
    check_out(source, out)
    chosen = choose_device(device)
    single = Path(source).is_file() and Path(source).suffix.lower() in IMAGE_SUFFIXES
    carried = method == "block_moves" and not independent and not single
    settings = {
        "method": method,
        "count": count,
        "compactness": compactness,
        "preset": preset,
        "device": chosen,
        "carried": carried,
        "flow": carried and not no_flow,
    }
    calculate = _Calculation(settings)
    folder_options = {"kind": write, "views": () if no_show else dict.fromkeys(show), "settings": settings}
    if single:
        superpixels_of_picture(source, out, calculate, overwrite=overwrite, quiet=quiet, **folder_options)
    else:
        superpixels_of_video(source, out, calculate, overwrite=overwrite, quiet=quiet, **folder_options)


class _Calculation:
    """Labels of one (H, W, 3) uint8 picture after the other; NumPy in and out."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._stream: Any = None
        self._before: Any = None

    def __call__(self, image: Any) -> Any:
        from cvseg.flow import estimate_flow
        from cvseg.superpixels import SuperpixelStream, segment
        from cvseg.superpixels.block_moves_2015 import BLOCK_MOVES_PRESETS
        from cvseg.superpixels.stream import SuperpixelStreamOptions

        wish: dict[str, Any] = {name: self._settings[name] for name in ("count", "compactness", "device")}
        preset = self._settings["preset"]
        if not self._settings["carried"]:
            return segment(image, method=self._settings["method"], preset=preset, **wish)
        if self._stream is None:
            options = SuperpixelStreamOptions(first=BLOCK_MOVES_PRESETS[preset])
            self._stream = SuperpixelStream(options=options, **wish)
        flow_xy = None
        if self._settings["flow"] and self._before is not None and self._before.shape == image.shape:
            flow_xy = estimate_flow(self._before, image, preset="fast", device=wish["device"])
        self._before = image
        return self._stream.update(image, flow_xy)


def superpixels_of_picture(
    name: str, out: str, calculate: _Calculation, *, overwrite: bool, quiet: bool, **folder_options: Any
) -> None:
    """Write the superpixels of one picture file.

    Raises
    ------
    CvsegError
    """
    from fractions import Fraction

    from cvseg.records import Frame
    from cvseg.report.superpixel_folder import SuperpixelFolder
    from cvseg.video.still_image import read_image

    image = read_image(name)
    labels = calculate(image)
    folder = SuperpixelFolder(out, None, overwrite=overwrite, **folder_options)
    folder.add(Frame(index=0, time_s=Fraction(0), image=image, name=Path(name).stem), labels)
    folder.end()
    if not quiet:
        click.echo(f"{image.shape[1]} x {image.shape[0]}, {labels.max() + 1} superpixels: {out}")


def superpixels_of_video(
    name: str, out: str, calculate: _Calculation, *, overwrite: bool, quiet: bool, **folder_options: Any
) -> None:
    """Write the superpixels of every frame; what is finished stays, whatever happens.

    Raises
    ------
    CvsegError
    SystemExit
        with 130 after Ctrl-C.
    """
    from cvseg.cli.run import counted, finishing, open_input
    from cvseg.errors import VideoOpenError
    from cvseg.report.superpixel_folder import SuperpixelFolder
    from cvseg.video import prefetch

    with open_input(name) as source:
        folder = SuperpixelFolder(out, source.info, overwrite=overwrite, **folder_options)
        with finishing(folder, out, "frames"):
            with prefetch(source) as stream:
                for frame in counted(stream, source.info.frame_count, quiet):
                    folder.add(frame, calculate(frame.image))
            if folder.files == 0:
                raise VideoOpenError(f"{name} holds no frames. Is it the right file?")
    if not quiet:
        click.echo(f"Superpixels of {folder.files} frames: {out}")
