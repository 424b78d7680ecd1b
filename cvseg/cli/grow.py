"""`cvseg grow`: regions of a picture that grow from seeds, or by merging."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cvseg.cli.segment import DEVICES
from cvseg.errors import OptionError, OutputError, nearest_name


@click.command(name="grow")
@click.argument("source", metavar="INPUT")
@click.option("--seeds", metavar="SEEDS", help="Label map (PNG or npz), or points 'x,y x,y,label ...'.")
@click.option("--count", type=click.IntRange(1), metavar="N", help="Without seeds: merge until N regions are left.")
@click.option("--threshold", type=click.FloatRange(0), metavar="T", help="Without seeds: merge what costs at most T.")
@click.option("-o", "--out", required=True, metavar="OUT", help="Label map to write: .png or .npz.")
@click.option("--method", metavar="NAME", help="watershed (the default), spanning_forest or random_walker.")
@click.option("--radius", type=click.FloatRange(0), default=0.0, show_default=True, help="Of the discs at points.")
@click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True, help="auto: a GPU if any.")
@click.option("--show", metavar="PICTURE", help="Also write INPUT with the outlines of the regions.")
@click.option("--overwrite", is_flag=True, help="Write over files that exist.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def command(
    source: str,
    seeds: str | None,
    count: int | None,
    threshold: float | None,
    out: str,
    method: str | None,
    radius: float,
    device: str,
    show: str | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Grow regions of the picture INPUT from seeds until they meet; or, without seeds, merge what is alike.

    In a map of seeds 0 is what shall be labelled, and every other value a label. Points without a label are numbered
    from 1.
    """
    import numpy as np

    from cvseg.arrays import choose_device
    from cvseg.formats.label_map import LABEL_MAP_ENDINGS, write_label_map
    from cvseg.regions import GROWING_METHODS, grow
    from cvseg.report.superpixel_picture import boundary_picture
    from cvseg.video.still_image import IMAGE_SUFFIXES, read_image

    if method is not None and method not in GROWING_METHODS:
        raise OptionError(f"--method is {method!r}; {nearest_name(method, GROWING_METHODS)}")
    if Path(out).suffix.lower() not in LABEL_MAP_ENDINGS:
        raise OptionError(f"--out is {out}; {nearest_name(Path(out).suffix, LABEL_MAP_ENDINGS)}")
    if show is not None and Path(show).suffix.lower() not in IMAGE_SUFFIXES:
        raise OptionError(f"--show is {show}; {nearest_name(Path(show).suffix, IMAGE_SUFFIXES)}")
    if (seeds is None) == (count is None and threshold is None) or (count is not None and threshold is not None):
        raise OptionError("Give one of --seeds, --count and --threshold.")
    if seeds is None and method is not None:
        raise OptionError("--method needs --seeds.")
    for path in (out, show):
        if path is not None and Path(path).exists() and not overwrite:
            raise OutputError(f"{path} exists. Choose another name, or --overwrite.")
    image = read_image(source)
    wish: dict[str, Any] = {"device": choose_device(device)}
    if seeds is None:
        labels = grow(image, count=count, threshold=threshold, **wish)
    else:
        labels = grow(image, _seeds(seeds, image.shape[:2], radius), method=method or "watershed", **wish)
    write_label_map(out, labels)
    if show is not None:
        from PIL import Image

        from cvseg.video.replace_file import replacing

        with replacing(Path(show)) as partial:
            Image.fromarray(boundary_picture(image, labels)).save(
                partial, format=Image.registered_extensions()[Path(show).suffix.lower()]
            )
    if not quiet:
        click.echo(f"{image.shape[1]} x {image.shape[0]}, {np.unique(labels[labels > 0]).size} regions: {out}")


def _seeds(text: str, size_hw: tuple[int, int], radius: float) -> Any:
    """A map from a file, or from points as text.

    Raises
    ------
    OptionError, FormatError, RangeError
    """
    from cvseg.formats.label_map import read_label_map
    from cvseg.regions import point_seeds

    try:
        points = [[float(number) for number in point.split(",")] for point in text.split()]
    except ValueError:
        return read_label_map(text)
    widths = {len(point) for point in points}
    if len(widths) != 1 or not widths <= {2, 3}:
        raise OptionError(f"--seeds is {text!r}; expected a file, or points 'x,y x,y' or 'x,y,label x,y,label'.")
    return point_seeds(points, size_hw, radius)
