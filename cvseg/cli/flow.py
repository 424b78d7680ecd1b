"""`cvseg flow`: dense optical flow of two pictures, or of every pair of frames of a video."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cvseg.cli.segment import DEVICES, PRESETS, check_out
from cvseg.errors import OptionError, nearest_name

if TYPE_CHECKING:
    from cvseg.records import Frame

KINDS = ("flo", "kitti", "npy")  # a test compares them with cvseg.report.flow_folder


@click.command(name="flow")
@click.argument("inputs", nargs=-1, required=True, metavar="A B | VIDEO")
@click.option("-o", "--out", required=True, metavar="OUT", help="Two pictures: the file. A video: the folder.")
@click.option("--method", default="dis", show_default=True, metavar="NAME", help="Which method; see below.")
@click.option(
    "--preset", type=click.Choice(PRESETS), default="balanced", show_default=True, help="Speed against accuracy."
)
@click.option(
    "--device", type=click.Choice(DEVICES), default="auto", show_default=True, help="auto: a GPU if one can be used."
)
@click.option("--write", type=click.Choice(KINDS), default="flo", show_default=True, help="Files of a video.")
@click.option("--picture", is_flag=True, help="Two pictures: also OUT-picture.png in the colours of the wheel.")
@click.option("--confidence", is_flag=True, help="Also how far each pixel can be trusted, as grey pictures.")
@click.option("--largest", type=click.FloatRange(0, min_open=True), metavar="PX", help="Motion shown in full colour.")
@click.option("--no-video", is_flag=True, help="Do not write flow.mp4.")
@click.option("--overwrite", is_flag=True, help="Write into a folder that holds something.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def command(
    inputs: tuple[str, ...],
    out: str,
    method: str,
    preset: str,
    device: str,
    write: str,
    picture: bool,
    confidence: bool,
    largest: float | None,
    no_video: bool,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Dense optical flow: where every pixel of one picture is found in the next.

    Two pictures A and B: OUT is a .flo, .png (KITTI's, 16 bits) or .npy file.

    A video (a file, a folder of pictures, or '-' for standard input): OUT is a folder that receives flow/<frame>.flo,
    from each frame to the next, flow.mp4 in the colours of the wheel (hue: direction, depth: length), and summary.json.

    Methods: dis (the default), tv_l1, cpm, farneback, lucas_kanade, horn_schunck; 'cvseg evaluate flow' measures them.
    """
    from cvseg.arrays import choose_device
    from cvseg.flow import FLOW_METHODS

    if method not in FLOW_METHODS:
        raise OptionError(f"--method is {method!r}; {nearest_name(method, FLOW_METHODS)}")
    for name in inputs:
        check_out(name, out)
    calculate = _Calculation(method, preset, choose_device(device), confidence)
    if len(inputs) == 1:
        settings = {"method": method, "preset": preset, "device": calculate.device, "write": write}
        flow_of_video(
            inputs[0],
            out,
            calculate,
            kind=write,
            video=not no_video,
            largest_px=largest,
            settings=settings,
            overwrite=overwrite,
            quiet=quiet,
        )
    elif len(inputs) == 2:
        flow_of_pair(*inputs, out, calculate, picture=picture, largest_px=largest, quiet=quiet)
    else:
        raise OptionError(f"{len(inputs)} inputs were given; expected two pictures, or one video or folder.")


class _Calculation:
    """Flow of two (H, W, 3) uint8 pictures, and its confidence where it was asked for; NumPy in and out."""

    def __init__(self, method: str, preset: str, device: str, confidence: bool) -> None:
        self.method, self.preset, self.device, self.confidence = method, preset, device, confidence

    def __call__(self, image0: Any, image1: Any) -> tuple[Any, Any]:
        from cvseg.flow import estimate_flow, flow_with_confidence

        chosen = {"method": self.method, "preset": self.preset, "device": self.device}
        if self.confidence:
            found = flow_with_confidence(image0, image1, **chosen)
            return found.flow_xy, found.confidence
        return estimate_flow(image0, image1, **chosen), None


def flow_of_pair(
    first: str, second: str, out: str, calculate: _Calculation, *, picture: bool, largest_px: float | None, quiet: bool
) -> None:
    """Write the flow between two picture files.

    Raises
    ------
    CvsegError
    """
    import numpy as np
    from PIL import Image

    from cvseg.formats.flow_file import check_flow_name, write_flow
    from cvseg.report.flow_picture import flow_picture
    from cvseg.video.replace_file import prepare_folder, replacing
    from cvseg.video.still_image import read_image

    check_flow_name(out)
    prepare_folder(Path(out).parent)
    images = read_image(first), read_image(second)
    if images[0].shape != images[1].shape:
        sizes = [f"{image.shape[1]}x{image.shape[0]}" for image in images]
        raise OptionError(
            f"{first} is {sizes[0]} pixels and {second} {sizes[1]}; expected one size. Scale one of them."
        )
    flow_xy, confidence = calculate(*images)
    write_flow(out, flow_xy)
    written = [out]
    drawn = {"picture": flow_picture(flow_xy, largest_px) if picture else None}
    drawn["confidence"] = None if confidence is None else np.round(confidence * 255).astype(np.uint8)
    for name, image in drawn.items():
        if image is None:
            continue
        path = Path(out).with_name(f"{Path(out).stem}-{name}.png")
        with replacing(path) as partial:
            Image.fromarray(image).save(partial, format="PNG")
        written.append(str(path))
    if not quiet:
        lengths = np.hypot(flow_xy[..., 0], flow_xy[..., 1])
        click.echo(
            f"{images[0].shape[1]} x {images[0].shape[0]}, mean motion {lengths.mean():.2f} px, "
            f"largest {lengths.max():.1f} px"
        )
        click.echo(f"Written: {', '.join(written)}")


def flow_of_video(
    name: str, out: str, calculate: _Calculation, *, overwrite: bool, quiet: bool, **folder_options: Any
) -> None:
    """Write the flow of every frame of a video to the next one; what is finished stays, whatever happens.

    Raises
    ------
    CvsegError
    SystemExit
        with 130 after Ctrl-C.
    """
    from cvseg.cli.run import counted, finishing, open_input
    from cvseg.errors import VideoOpenError
    from cvseg.report.flow_folder import FlowFolder
    from cvseg.video import prefetch

    with open_input(name) as source:
        folder = FlowFolder(out, source.info, overwrite=overwrite, **folder_options)
        frames = 0
        with finishing(folder, out, "flows"):
            with prefetch(source) as stream:
                before: Frame | None = None
                for frame in counted(stream, source.info.frame_count, quiet):
                    if before is not None:
                        folder.add(before, *calculate(before.image, frame.image))
                    before, frames = frame, frames + 1
            if folder.files == 0:
                held = "one frame" if frames else "no frames"
                raise VideoOpenError(f"{name} holds {held}; flow needs two. Is it the right file?")
    if not quiet:
        click.echo(f"{folder.files} flows of {frames} frames: {out}")
