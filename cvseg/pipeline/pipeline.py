"""`Pipeline`: frames in, masks and tracks out; `segment`: the same for a whole input, with the work overlapped."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, choose_device, to_device, to_host
from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import OptionError, ShapeError, nearest_name
from cvseg.objects import ShotSegmenter, WorkFrame, WorkFrames
from cvseg.objects.automatic import Foreground
from cvseg.objects.instances import Instances
from cvseg.pipeline.held_frame import HeldFrame
from cvseg.pipeline.presets import PRESETS, PipelineOptions
from cvseg.pipeline.region_of_interest import RegionOfInterest, read_region_of_interest
from cvseg.records import Frame, FrameResult
from cvseg.regions import fill_holes, remove_small_regions
from cvseg.shots import BROKEN
from cvseg.tracking import Tracker

_log = logging.getLogger("cvseg")


class Pipeline:
    """Segments and tracks the moving objects of one video, frame by frame, in bounded memory.

    Parameters
    ----------
    options : PipelineOptions or the name of a preset
    device : "auto" takes a GPU if one can be used; "cuda" without one is an error
    roi : (x, y, width, height) or a picture file or an (H, W) mask; nothing outside is segmented
    min_area : smallest object in pixels; overrides the options' share of the frame
    explain : whether results carry their `Evidence`

    Raises
    ------
    OptionError, DeviceUnavailableError

    Examples
    --------
    >>> from cvseg.synthetic import ClipOptions, render_clip
    >>> pipeline = Pipeline("fast", device="cpu")
    >>> results = [r for frame in render_clip(ClipOptions(size_hw=(60, 80), frames=3)).frames()
    ...            for r in pipeline.process(frame)] + pipeline.finish()
    >>> [result.frame.index for result in results]
    [0, 1, 2]
    """

    def __init__(
        self,
        options: PipelineOptions | str = "balanced",
        *,
        device: str = "auto",
        roi: RegionOfInterest = None,
        min_area: int | None = None,
        explain: bool = False,
    ) -> None:
        self._explain = explain
        self.options = preset_options(options)
        self.device = choose_device(device)
        _log.info("device %s, asked for %s", self.device, device)
        self._roi = roi
        self._min_area = min_area
        if min_area is not None and (isinstance(min_area, bool) or not isinstance(min_area, int) or min_area < 0):
            raise OptionError(f"min_area is {min_area!r}; expected a whole number of pixels, 0 or more.")
        self.reset()

    def reset(self) -> None:
        """Start a new video."""
        self._size: tuple[int, int] | None = None
        self._roi_mask: Any = None
        self._motion = WorkFrames(
            self.device,
            self.options.work_height,
            self.options.flow,
            causal=self.options.automatic.evidence == "causal",
        )
        self._segmenter = ShotSegmenter(self.options.automatic, explain=self._explain)
        self._instances = Instances()
        self._tracker = Tracker(self.options.tracker)
        self._held: deque[HeldFrame] = deque()

    def process(self, frame: Frame) -> list[FrameResult]:
        """Take in the next frame.

        Parameters
        ----------
        frame : of the same size as the frames before, with a larger index

        Returns
        -------
        list of FrameResult : those that are ready, in order; they may be several frames late

        Raises
        ------
        ShapeError, DtypeError, OptionError
        """
        return [result for work in self.move(frame) for result in self.segment(work)]

    def finish(self) -> list[FrameResult]:
        """Results of all frames that are still open; the pipeline is then ready for a new video."""
        results = [result for work in self._motion.finish() for result in self.segment(work)]
        results += self._last_results()
        self.reset()
        return results

    def move(self, frame: Frame) -> list[WorkFrame]:
        """First half of `process`: frames before this one with their flow and camera motion, as a rule one."""
        check_shapes(f"frame {frame.index}", image=(frame.image, "H W 3"))
        check_dtype(f"frame {frame.index}", np.uint8, image=frame.image)
        if self._size is None:
            if 0 in frame.image.shape:
                raise ShapeError(f"frame {frame.index} is {frame.image.shape}; expected at least one pixel.")
            mask = read_region_of_interest(self._roi, frame.image.shape[:2])
            self._roi_mask = None if mask is None else to_device(mask, self.device)
            self._size = frame.image.shape[:2]
        elif frame.image.shape[:2] != self._size:
            raise ShapeError(
                f"frame {frame.index} is {frame.image.shape[:2]}; the frames before were {self._size}. "
                "Resize the frames to one size, or use a new Pipeline."
            )
        return self._motion.push(frame)

    def segment(self, work: WorkFrame) -> list[FrameResult]:
        """Second half of `process`: masks and tracks of the frames that can be decided."""
        return self._ready(self._segmenter.push(work))

    def motion_frames(self, frames: Iterable[Frame]) -> Iterator[WorkFrame]:
        """`move` for all frames: may run on a thread of its own, ahead of `segment`."""
        for frame in frames:
            yield from self.move(frame)
        yield from self._motion.finish()

    def segment_frames(self, works: Iterable[WorkFrame]) -> Iterator[FrameResult]:
        """`segment` for all frames of `motion_frames`, and the rest at the end."""
        for work in works:
            yield from self.segment(work)
        yield from self._last_results()

    def _last_results(self) -> list[FrameResult]:
        results = self._ready(self._segmenter.finish())
        self._tracker.end_shot()
        while self._held:
            results.append(self._held.popleft().result())
        return results

    def _ready(self, decided: list[Foreground]) -> list[FrameResult]:
        """Track frames, and hold the last ones back: a new object gets its number `min_hits - 1` frames later."""
        results = []
        for foreground in decided:
            self._held.append(self._track(foreground))
            if len(self._held) >= self.options.tracker.min_hits:
                results.append(self._held.popleft().result())
        return results

    def _track(self, foreground: Foreground) -> HeldFrame:
        work, logit = foreground.work, foreground.logit
        module = array_module(logit)
        inside = self._roi_mask
        if inside is not None:
            logit = module.where(inside, logit, np.float32(-20))
        size = int(logit.shape[0]) * int(logit.shape[1])
        least = self._min_area if self._min_area is not None else int(self.options.min_area * size)
        with work.timed("regions"):
            mask = logit > np.float32(0)
            if self.options.hole_area:
                mask = fill_holes(mask, max_area=int(self.options.hole_area * size))
                if inside is not None:
                    mask = mask & inside  # a hole may be what the region leaves out
            mask = remove_small_regions(mask, least)
            probability = np.float32(1) / (np.float32(1) + module.exp(-logit))
        with work.timed("instances"):
            labels, layers = self._instances.push(work, mask)
        with work.timed("tracking"):
            if work.begins_shot:
                self._tracker.begin_shot()
            tracked = self._tracker.update(
                work.frame.index,
                labels,
                numbers=layers.numbers,
                whole=layers.proven,
                probability=probability,
                flow_backward_xy=work.full_size_flow(work.backward_xy),
                camera_matrix=self._full_size_camera(work),
                image=None if work.role == BROKEN else work.image,  # a flash has other colours
            )
        return HeldFrame(
            work, tracked, to_host(probability), foreground.camera, to_host(foreground.votes), foreground.evidence
        )

    @staticmethod
    def _full_size_camera(work: WorkFrame) -> NDArray[np.float64]:
        """The camera's motion from the frame before to this one, in full-size pixels."""
        assert work.camera_backward is not None  # WorkFrames has completed it
        # Work pixel j covers the full pixels f j .. f j + f - 1, so its centre lies at f j + (f - 1) / 2.
        factor = work.factor
        to_full = np.array([[factor, 0, (factor - 1) / 2], [0, factor, (factor - 1) / 2], [0, 0, 1]])
        full: NDArray[np.float64] = to_full @ np.linalg.inv(to_full @ work.camera_backward.matrix)
        return full


def preset_options(options: PipelineOptions | str) -> PipelineOptions:
    """A preset by name, or the options as they are.

    Raises
    ------
    OptionError
    """
    if isinstance(options, PipelineOptions):
        return options
    if options not in PRESETS:
        raise OptionError(f"preset is {options!r}; {nearest_name(str(options), PRESETS)}")
    return PRESETS[options]


def segment(
    source: Any,
    *,
    preset: str = "balanced",
    options: PipelineOptions | Mapping[str, Any] | None = None,
    device: str = "auto",
    roi: RegionOfInterest | str | os.PathLike[str] = None,
    min_area: int | None = None,
    explain: bool = False,
    rate: Fraction | int | str | None = None,
    progress: Callable[[int, int | None], bool | None] | None = None,
) -> Iterator[FrameResult]:
    """Segment and track the moving objects of a video.

    Decoding, flow and segmentation overlap, each on a thread of its own; memory does not grow with the video.

    Parameters
    ----------
    source : a video file, a folder of images, "-", an array (T, H, W[, C]), an iterable of pictures, an open source
    preset : "fast" (at once, by past frames alone), "balanced" or "quality"
    options : PipelineOptions, or values that replace some of the preset's: ``{"tracker": {"max_age": 9}}``
    device : "auto", "cpu" or "cuda"
    roi : (x, y, width, height), a picture file or an (H, W) mask; nothing outside is segmented
    min_area : smallest object in pixels
    explain : whether results carry their `Evidence`: the terms that decided, as maps
    rate : frames per second for inputs without times
    progress : called with (frames done, frames in all or None) after each; returning False ends the run cleanly

    Yields
    ------
    FrameResult, in order

    Raises
    ------
    CvsegError
        for a bad argument, at once; for a frame that cannot be read, after the results of all frames before it. What
        else an iterable raises comes after them too.

    Examples
    --------
    >>> from cvseg.synthetic import ClipOptions, render_clip
    >>> frames = render_clip(ClipOptions(size_hw=(60, 80), frames=4)).frames()
    >>> [result.labels.shape for result in segment(frames, preset="fast", device="cpu")]
    [(60, 80), (60, 80), (60, 80), (60, 80)]
    """
    from cvseg.video import open_source, prefetch

    chosen = preset_options(preset)
    if isinstance(options, PipelineOptions):
        chosen = options
    elif isinstance(options, Mapping):
        chosen = chosen.replaced(options)
    elif options is not None:
        raise OptionError(f"options is {options!r}; expected PipelineOptions or a table of some of its values.")
    pipeline = Pipeline(chosen, device=device, roi=roi, min_area=min_area, explain=explain)
    return _run(pipeline, source, open_source, prefetch, rate, progress)


def _run(
    pipeline: Pipeline, source: Any, open_source: Any, prefetch: Any, rate: Any, progress: Any
) -> Iterator[FrameResult]:
    with open_source(source, rate=rate) as opened:
        errors: list[Exception] = []
        # Two frames ahead are enough to overlap; more only make memory rise and fall with the load of the machine.
        with (
            prefetch(opened, depth=2) as frames,
            prefetch(pipeline.motion_frames(_until_error(frames, errors)), depth=2) as works,
        ):
            try:
                for done, result in enumerate(pipeline.segment_frames(works), start=1):
                    yield result
                    if progress is not None and progress(done, opened.info.frame_count) is False:
                        return
            finally:
                frames.close()  # before `works`, whose thread may be waiting for a frame of a silent source
        if errors:
            raise errors[0]


def _until_error(frames: Iterable[Frame], errors: list[Exception]) -> Iterator[Frame]:
    """End quietly at a damaged frame, so that the frames before it are finished; the error is raised after them."""
    try:
        yield from frames
    except Exception as error:  # whatever it is: raised again by _run
        errors.append(error)
