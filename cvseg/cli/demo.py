"""`cvseg demo`: a rendered clip whose truth is known, segmented, scored, and shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cvseg.cli.segment import DEVICES, PRESETS
from cvseg.errors import OptionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cvseg.records import Frame, FrameResult
    from cvseg.synthetic import SyntheticClip


@click.command(name="demo")
@click.option("-o", "--out", default="cvseg-demo", show_default=True, metavar="OUT", help="Folder for the results.")
@click.option("--frames", type=click.IntRange(2, 10_000), help="Length of the clip.  [default: 60]")
@click.option("--size", metavar="WxH", help="Size of the frames, WIDTHxHEIGHT.  [default: 854x480]")
@click.option("--scene", default="demo", show_default=True, metavar="NAME", help="Which rendered scene to show.")
@click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True, help="Where to compute.")
@click.option("--preset", type=click.Choice(PRESETS), default="balanced", show_default=True, help="Speed or accuracy.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def command(out: str, frames: int | None, size: str | None, scene: str, device: str, preset: str, quiet: bool) -> None:
    """Render a clip of photographed things moving over a moving background, segment it, and score it.

    Needs no download. The results of an earlier demo in OUT are replaced.
    """
    import dataclasses

    from cvseg.arrays import choose_device
    from cvseg.cli.run import print_where_to_look, run_to_folder
    from cvseg.errors import nearest_name
    from cvseg.pipeline import PRESETS as OPTIONS
    from cvseg.pipeline import segment
    from cvseg.report.results_folder import written_by_cvseg
    from cvseg.synthetic import SCENES, render_clip
    from cvseg.video import open_source

    if scene not in SCENES:
        raise OptionError(f"--scene is {scene!r}; {nearest_name(scene, SCENES)}")
    width, height = parse_size(size or "854x480")
    options = dataclasses.replace(SCENES[scene], frames=frames or 60, size_hw=(height, width))
    clip = render_clip(options)
    judge, chosen = Judge(clip), choose_device(device)
    if not quiet:
        click.echo(f"{len(clip)} frames of {width} x {height}; the first run compiles the kernels.")
    with open_source(judge.frames(), rate=clip.rate) as source:
        record = run_to_folder(
            source,
            out,
            name=f"rendered scene '{scene}'",
            settings={
                "device": chosen,
                "preset": preset,
                "scene": options.to_mapping(),
                "options": OPTIONS[preset].to_mapping(),
            },
            results=lambda: segment(source, preset=preset, device=chosen),
            overwrite=written_by_cvseg(Path(out)),
            total=len(clip),
            quiet=quiet,
            watch=judge.add,
            scores=judge.scores,
        )
    if quiet:
        return
    click.echo("")
    for name, value in record.scores.items():
        click.echo(f"  {name:<18} {value:g}")
    click.echo("")
    print_where_to_look(out, record)
    click.echo("\nTry next:")
    click.echo("  cvseg segment YOUR_VIDEO.mp4 -o out")
    click.echo("  cvseg segment YOUR_VIDEO.mp4 -o out-fast --preset fast")
    click.echo("  cvseg doctor")


class Judge:
    """Hands out the frames of a rendered clip, and compares the results with their truth."""

    def __init__(self, clip: SyntheticClip) -> None:
        from cvseg.evaluation import TrackingMeasure

        self._clip = clip
        self._truth: dict[int, NDArray[np.int32]] = {}
        self._objects: set[int] = set()
        self._tracking = TrackingMeasure()
        self._similarity: list[float] = []
        self._boundary: list[float] = []

    def frames(self) -> Iterator[Frame]:
        """The clip as plain frames; the truth of each is kept until its result comes."""
        from cvseg.records import Frame

        for true in self._clip:
            self._truth[true.index] = true.labels
            self._objects.update(track.id for track in true.tracks)
            yield Frame(true.index, true.time_s, true.image, f"{true.index:05d}")

    def add(self, result: FrameResult) -> None:
        """Score one result."""
        from cvseg.evaluation import boundary_accuracy, region_similarity

        truth = self._truth.pop(result.frame.index)
        found, wanted = result.labels > 0, truth > 0
        self._similarity.append(region_similarity(found, wanted))
        self._boundary.append(boundary_accuracy(found, wanted))
        self._tracking.add_labels(result.labels, truth)

    def scores(self) -> dict[str, float]:
        """J and F of everything that moves against the rest, and how well identities were kept."""
        from cvseg.evaluation import sequence_statistics

        ends = len(self._similarity) > 2
        return {
            "J mean": round(sequence_statistics(self._similarity, leave_out_ends=ends).mean, 3),
            "F mean": round(sequence_statistics(self._boundary, leave_out_ends=ends).mean, 3),
            "identity switches": self._tracking.score.identity_switches,
            "true objects": len(self._objects),
        }


def parse_size(text: str) -> tuple[int, int]:
    """Width and height from ``"854x480"``.

    Raises
    ------
    OptionError

    Examples
    --------
    >>> parse_size("854x480")
    (854, 480)
    """
    match = re.fullmatch(r"\s*(\d+)\s*[xX,\u00d7]\s*(\d+)\s*", text)
    if not match:
        raise OptionError(f"--size is {text!r}; expected WIDTHxHEIGHT, such as 854x480.")
    return int(match[1]), int(match[2])
