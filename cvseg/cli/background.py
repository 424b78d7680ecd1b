"""`cvseg background`: what moves before a fixed camera, as masks and as a list of events."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from cvseg.cli.segment import DEVICES, PRESETS, check_out, parse_min_area
from cvseg.errors import CvsegError, OptionError, nearest_name

if TYPE_CHECKING:
    from cvseg.arrays import Device
    from cvseg.objects.change_events import ChangeEvents
    from cvseg.records import Frame
    from cvseg.report.background_folder import BackgroundFolder

CODES = ("binary", "cdnet")  # a test compares them with cvseg.report.background_folder
LEAST_SHARE = 0.0005  # of the frame: smallest spot that is followed, unless --min-area says another
MOVING_CAMERA = 0.4  # mean share of foreground from which a fixed camera is doubted
MOVING_FRAMES = 0.1  # share of the frames in which the model itself sees the camera move, from which it is reported


@click.command(name="background")
@click.argument("source", metavar="INPUT")
@click.option("-o", "--out", required=True, metavar="OUT", help="Folder for the results; made if it is missing.")
@click.option("--method", metavar="NAME", help="Which method; see below.  [default: that of --preset]")
@click.option(
    "--preset", type=click.Choice(PRESETS), default="quality", show_default=True, help="Speed against accuracy."
)
@click.option(
    "--device", type=click.Choice(DEVICES), default="auto", show_default=True, help="auto: a GPU if one can be used."
)
@click.option("--learning-rate", type=float, metavar="R", help="Share of a frame in the background; 0 learns nothing.")
@click.option("--set", "values", multiple=True, metavar="KEY=VALUE", help="An option of the method. Repeatable.")
@click.option("--roi", metavar="X,Y,W,H|'x,y x,y x,y'|MASK.png", help="Look only in this box, polygon or picture.")
@click.option("--min-area", metavar="PX|%", help="Leave out spots smaller than this: pixels, or a share as in 0.1%.")
@click.option(
    "--min-frames", type=click.IntRange(1, 50), default=5, show_default=True, help="Frames that make an event."
)
@click.option("--from", "first", metavar="N|Ns", help="First frame, counted from 0; or a time in seconds, as 12.5s.")
@click.option("--to", "last", metavar="N|Ns", help="Frame or time at which to stop; it is not looked at.")
@click.option(
    "--max-height", type=click.IntRange(16), metavar="PX", help="Shrink taller frames first; masks have that size."
)
@click.option("--save-state", metavar="FILE", help="Write what the model has learned at the end, also after Ctrl-C.")
@click.option("--load-state", metavar="FILE", help="Go on where a saved state ends.")
@click.option("--codes", type=click.Choice(CODES), default="binary", show_default=True, help="cdnet: shadows are 50.")
@click.option("--probability", is_flag=True, help="Also the probability of foreground, as grey pictures.")
@click.option("--no-masks", is_flag=True, help="Do not write masks.")
@click.option("--no-overlay", is_flag=True, help="Do not write overlay.mp4.")
@click.option("--overwrite", is_flag=True, help="Write into a folder that holds something.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def command(
    source: str,
    out: str,
    method: str | None,
    preset: str,
    device: str,
    learning_rate: float | None,
    values: tuple[str, ...],
    roi: str | None,
    min_area: str | None,
    min_frames: int,
    first: str | None,
    last: str | None,
    max_height: int | None,
    save_state: str | None,
    load_state: str | None,
    codes: str,
    probability: bool,
    no_masks: bool,
    no_overlay: bool,
    overwrite: bool,
    quiet: bool,
) -> None:
    """What moves before a fixed camera. INPUT: a video file, a folder of images, or '-' for standard input.

    OUT receives masks/*.png (255 where something moves), background.png, events.csv (one row for each thing: when,
    where, how large), overlay.mp4, report.html and summary.json.

    --save-state keeps what was learned, and --load-state goes on there, with the same masks as without the break; with
    --learning-rate 0 the model is frozen. --roi and --min-area count pixels of INPUT, also with --max-height.

    Ctrl-C, SIGTERM, a damaged input and a full disk end the run early: every finished frame is kept, all files agree,
    and the state is that after the last finished frame.

    Methods: docs/background/README.md says which one for what; 'cvseg evaluate change' measures the masks.
    """
    from cvseg.arrays import choose_device
    from cvseg.background import BACKGROUND_METHODS, BACKGROUND_PRESETS
    from cvseg.cli.region import parse_region, region_mask
    from cvseg.cli.run import open_input, print_where_to_look
    from cvseg.cli.shrunk_source import ShrunkSource
    from cvseg.formats.background_state import check_state_file
    from cvseg.objects.change_events import ChangeEvents
    from cvseg.report.background_folder import BackgroundFolder
    from cvseg.report.run_record import RunRecord

    name = BACKGROUND_PRESETS[preset] if method is None else method
    if name not in BACKGROUND_METHODS:
        raise OptionError(f"--method is {name!r}; {nearest_name(name, BACKGROUND_METHODS)}")
    if learning_rate is not None and not 0 <= learning_rate <= 1:
        raise OptionError(f"--learning-rate is {learning_rate:g}; expected at least 0 and at most 1.")
    options = BACKGROUND_METHODS[name].options().replaced(parse_values(values))
    region, part = parse_region(roi), (Moment.parse("--from", first), Moment.parse("--to", last))
    check_out(source, out)
    if save_state is not None:
        check_state_file(save_state)
    chosen = choose_device(device)
    with open_input(source) as opened:
        frames = ShrunkSource(opened, max_height or opened.info.height)
        size_hw = frames.info.height, frames.info.width
        inside = frames.shrink_mask(region_mask(region, (opened.info.height, opened.info.width)))
        area_px = parse_min_area(min_area, opened.info.width, opened.info.height)
        least_px = None if area_px is None else round(area_px * frames.scale**2)
        model = _model(name, options, load_state, size_hw)
        events = ChangeEvents(
            min_frames=min_frames,
            min_area=round(LEAST_SHARE * size_hw[0] * size_hw[1]) if least_px is None else least_px,
        )
        record = RunRecord(
            source=source,
            settings={
                "device": chosen,
                "preset": preset,
                "method": name,
                "learning_rate": learning_rate,
                "roi": roi,
                "min_area": min_area,
                "min_frames": min_frames,
                "from": first,
                "to": last,
                "max_height": max_height,
                "load_state": load_state,
                "options": options.to_mapping(),
            },
        )
        folder = BackgroundFolder(
            out,
            record,
            frames.info,
            lambda: events.events,
            codes=codes,
            masks=not no_masks,
            probability=probability,
            overlay=not no_overlay,
            roi=inside,
            overwrite=overwrite,
        )
        run = _Run(model, events, folder, chosen, learning_rate, inside, least_px, save_state)
        _run_all(run, frames, source, out, part, quiet)
    if not quiet:
        for remark in folder.remarks:
            click.echo(f"cvseg: {remark}", err=True)
        count = len(events.events)
        found = f"{count} event{'' if count == 1 else 's'}, {100 * folder.foreground_share:.2f} % foreground"
        print_where_to_look(out, record, found)


def _model(method: str, options: Any, load_state: str | None, size_hw: tuple[int, int]) -> Any:
    from cvseg.background import background_model
    from cvseg.formats.background_state import restored_model

    if load_state is None:
        return background_model(method, options)
    return restored_model(load_state, method, options, size_hw)


def _run_all(
    run: _Run, source: Any, name: str, out: str, part: tuple[Moment | None, Moment | None], quiet: bool
) -> None:
    """All frames of the part; what is finished stays, whatever happens.

    Raises
    ------
    CvsegError
    SystemExit
        with 130 after Ctrl-C, 143 after SIGTERM and 129 after SIGHUP.
    """
    from cvseg.cli.run import counted, finishing, postponed
    from cvseg.errors import VideoOpenError
    from cvseg.video import prefetch

    with finishing(run, out, "frames"):
        with prefetch(source) as stream:
            total = source.info.frame_count if part == (None, None) else None
            for frame in counted(_part(stream, *part), total, quiet):
                with postponed():
                    run.step(frame)
        if run.files == 0 and part != (None, None):
            raise OptionError(f"{name} holds no frame between --from and --to. Check both, or leave them out.")
        if run.files == 0:
            raise VideoOpenError(f"{name} holds no frames. Is it the right file?")


class _Run:
    """One frame after the other through the model, into the folder; the whole of it ends in a consistent state."""

    def __init__(
        self,
        model: Any,
        events: ChangeEvents,
        folder: BackgroundFolder,
        device: Device,
        learning_rate: float | None,
        inside: Any,
        least_px: int | None,
        save_state: str | None,
    ) -> None:
        self._model, self._events, self._folder = model, events, folder
        self._device, self._rate, self._inside, self._least_px = device, learning_rate, inside, least_px
        self._save_state = save_state
        self._frames = 0  # that the model has learned from
        self._moving_frames = 0  # in which the model, where it can tell, saw the camera move
        self._torn = False  # in the middle of a frame: model and files may disagree

    @property
    def files(self) -> int:
        return self._folder.files

    def step(self, frame: Frame) -> None:
        """Decide one frame and write what is ready."""
        import numpy as np

        from cvseg.arrays import to_device, to_host
        from cvseg.regions import remove_small_regions

        self._torn = True
        began = time.perf_counter()
        result = self._model.update(to_device(frame.image, self._device), learning_rate=self._rate)
        foreground, background = to_host(result.foreground), to_host(result.background)
        # Copies: the events look at a mask some frames later.
        mask, shadow = np.array(to_host(result.mask)), np.array(to_host(result.shadow))
        if self._inside is not None:
            mask, shadow = mask & self._inside, shadow & self._inside
            foreground = np.where(self._inside, foreground, np.float32(0))
        if self._least_px is not None:
            mask = remove_small_regions(mask, self._least_px)
        spent = {"model": time.perf_counter() - began}
        self._frames = result.frames
        self._moving_frames += bool(getattr(self._model, "camera_moves", False))
        self._folder.add(frame, mask, foreground, shadow, background)
        spent["write_masks"] = time.perf_counter() - began - spent["model"]
        self._torn = False
        self._show(self._events.update(frame, mask, foreground, spent))

    def _show(self, results: Iterable[Any]) -> None:
        for result in results:
            began = time.perf_counter()
            self._folder.show(result)
            self._folder.record.add_times({"write_overlay": time.perf_counter() - began})

    def end(self, status: str = "complete", message: str = "") -> None:
        """Finish everything; the state is saved first, because it cannot be made again.

        Raises
        ------
        CvsegError
        """
        error: CvsegError | None = None
        try:
            self._save()
        except CvsegError as caught:
            error = caught
            self._folder.remarks.append(str(caught))
        if self._torn:
            self._folder.remarks.append("The last frame was broken off; the state was not saved.")
        if self.files and self._moving_frames > MOVING_FRAMES * self.files:
            self._folder.remarks.append(
                f"The camera moves in {self._moving_frames} of {self.files} frames: there the masks come from motion "
                "alone, without a background. For a moving camera use 'cvseg segment'."
            )
        elif self.files and self._folder.foreground_share > MOVING_CAMERA:
            self._folder.remarks.append(
                f"{100 * self._folder.foreground_share:.0f} % of the pixels count as foreground. Does the camera move, "
                "or does the input begin in the middle of a crowd? For a moving camera use 'cvseg segment'."
            )
        try:
            self._show(self._events.finish())
        finally:
            self._folder.end("failed" if error is not None and status == "complete" else status, message)
        if error is not None:
            raise error

    def _save(self) -> None:
        from cvseg.formats.background_state import BackgroundState, write_background_state

        if self._save_state is None or self._torn or not self.files:
            return
        state = BackgroundState(
            method=self._folder.record.settings["method"],
            options=self._folder.record.settings["options"],
            size_hw=self._folder.size_hw,
            frames=self._frames,
            state=self._model.state_dict(),
        )
        write_background_state(self._save_state, state)


@dataclass(frozen=True)
class Moment:
    """A frame, or a time in seconds."""

    frame: int | None = None
    time_s: Fraction = Fraction(0)

    @classmethod
    def parse(cls, option: str, text: str | None) -> Moment | None:
        """``"60"`` is a frame, ``"2.4s"`` a time.

        Raises
        ------
        OptionError

        Examples
        --------
        >>> Moment.parse("--from", "60").frame, str(Moment.parse("--to", "2.4s").time_s)
        (60, '12/5')
        """
        if text is None:
            return None
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s?)\s*", text, re.ASCII)
        if not match or (not match[2] and "." in match[1]):
            raise OptionError(f"{option} is {text!r}; expected a frame, as 60, or a time in seconds, as 2.4s.")
        return cls(time_s=Fraction(match[1])) if match[2] else cls(frame=int(match[1]))

    def reached(self, frame: Frame) -> bool:
        """Whether `frame` is this moment, or after it."""
        return frame.time_s >= self.time_s if self.frame is None else frame.index >= self.frame


def _part(frames: Iterable[Frame], first: Moment | None, last: Moment | None) -> Iterator[Frame]:
    for frame in frames:
        if last is not None and last.reached(frame):
            return
        if first is None or first.reached(frame):
            yield frame


def parse_values(texts: Iterable[str]) -> dict[str, Any]:
    """Options of a method from ``KEY=VALUE`` words; dots lead into nested ones.

    Raises
    ------
    OptionError

    Examples
    --------
    >>> parse_values(["threshold=2.5", "first.count=7"])
    {'threshold': 2.5, 'first': {'count': 7}}
    """
    values: dict[str, Any] = {}
    for text in texts:
        key, sign, word = text.partition("=")
        if not sign or not re.fullmatch(r"\w+(\.\w+)*", key.strip()):
            raise OptionError(f"--set is {text!r}; expected KEY=VALUE, such as threshold=2.5.")
        try:
            value = json.loads(word)
        except ValueError:
            value = word.strip()
        if isinstance(value, float) and not math.isfinite(value):
            raise OptionError(f"--set is {text!r}; expected a finite number.")
        *path, leaf = key.strip().split(".")
        table = values
        for step in path:
            table = table.setdefault(step, {})
            if not isinstance(table, dict):
                raise OptionError(f"--set is {text!r}, and {step} was set to a value before; expected one of them.")
        table[leaf] = value
    return values
