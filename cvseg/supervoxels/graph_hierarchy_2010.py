"""Streaming hierarchical segmentation: superpixels that follow the motion are merged into ever larger regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import choose_device, device_of, to_device, to_host
from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import OptionError, ShapeError
from cvseg.options import Options, option
from cvseg.superpixels.block_moves_2015 import lab_pictures
from cvseg.superpixels.picture import check_count, superpixel_picture
from cvseg.superpixels.stream import SuperpixelStream, SuperpixelStreamOptions
from cvseg.supervoxels.material import Materials
from cvseg.supervoxels.result import Supervoxels
from cvseg.supervoxels.window import FrameGraph, Standing, merge_window

FULL_COLOR = 20.0  # L*a*b*: colours that are farther apart are as different as can be
CUT_COLOR = 12.0  # L*a*b*: a superpixel with another colour than this a frame ago shows something else
SUPERPIXEL_AREA, MOST_SUPERPIXELS = 200, 4000  # pixels of one, and how many in a frame, where no count is given
SAMPLED = 8  # every eighth pixel tells the motion of the camera
FLOWS = ("none", "fast", "balanced", "quality")


@dataclass(frozen=True, kw_only=True)
class SupervoxelOptions(Options):
    """How superpixels are merged, and in how many frames at once.

    Attributes
    ----------
    superpixels : of each frame
    all others : see their `option`
    """

    superpixels: SuperpixelStreamOptions = field(default_factory=SuperpixelStreamOptions)
    flow: str = option("fast", "preset of the flow that is estimated where none is given", choices=FLOWS)
    window: int = option(16, "frames decided at once; more decide better, wait longer, and hold more memory", low=1)
    overlap: int = option(4, "frames after these that are looked at before deciding", low=0)
    levels: int = option(30, "levels above the superpixels", low=1, high=200)
    first: float = option(0.04, "difference up to which regions are joined on level 1; larger is coarser", low=0.0)
    growth: float = option(1.2, "factor to that of the next level; larger steps reach coarser levels", low=1.0, high=10)
    power: float = option(0.8, "0: size does not count; larger joins small regions before large ones", low=0, high=2)
    motion: float = option(
        0.5, "weight of histograms of motion; larger keeps apart what moves differently", low=0, high=1
    )
    contrast: float = option(0.2, "weight of the contrast along a border against that of inner colours", low=0, high=1)
    link: float = option(0.3, "how much pixels that flow from one to the other make regions alike", low=0, high=1)
    other_color: float = option(6.0, "L*a*b*; a superpixel that changes more is another one; larger drifts", low=0)
    strangers: float = option(0.5, "share of foreign pixels that makes it another one; larger drifts", low=0, high=10)
    fading: float = option(0.7, "what the frames before a window count, against its own", low=0, high=1)
    cut: float = option(0.6, "share of the picture that changes colour at a shot cut; above 1: none is found", low=0)


class SupervoxelStream:
    """Regions of a video on many levels, a few frames at a time, with numbers that go on.

    Parameters
    ----------
    count : superpixels in a frame, the finest level; regions cannot follow edges better than they do. None: one for 200
        pixels, at most 4000
    options : SupervoxelOptions
    device : where to compute: "auto" is where the first frame lives

    Attributes
    ----------
    frames : number of frames seen
    cuts : indices of frames before which a shot cut was found in the last `update`; (none or one)

    Raises
    ------
    OptionError

    Notes
    -----
    Nodes are superpixels for as long as they cover the same thing (`Materials`). Edges go between those that touch, and
    from frame to frame along the flow. A window of frames is merged into levels; for the window after it, regions that
    stand are never divided, and never joined with each other: new nodes join them or each other, and a region ends with
    its last node. So a number means the same region in every frame, on every level.

    Memory holds the label maps of ``window + overlap`` frames and the nodes of the last one, however long the video is.
    At a shot cut every region ends.

    Departures: superpixels instead of voxels below the first level; merging from the most alike on, with sizes, instead
    of the criterion of [Felzenszwalb2004]_; contrast along borders beside the histograms.

    References
    ----------
    [Grundmann2010]_ for the hierarchy and its descriptors; [XuXiong2012]_ for windows in which old regions stand

    Examples
    --------
    >>> image = np.zeros((24, 40, 3), np.uint8)
    >>> image[8:16, 8:16] = 255
    >>> stream = SupervoxelStream(count=15)
    >>> for t in range(3):
    ...     assert stream.update(np.roll(image, 2 * t, axis=1)) is None
    >>> labels = stream.finish().level(5)
    >>> labels.shape, bool(labels[0, 12, 12] == labels[2, 12, 16] != labels[2, 2, 2])
    ((3, 24, 40), True)
    """

    def __init__(
        self, *, count: int | None = None, options: SupervoxelOptions | None = None, device: str = "auto"
    ) -> None:
        self.options = SupervoxelOptions() if options is None else options
        if not isinstance(self.options, SupervoxelOptions):
            raise OptionError(f"SupervoxelStream: options are {type(options).__name__}; expected SupervoxelOptions.")
        self.count = count
        self.device = device
        self.frames = 0
        self.cuts: tuple[int, ...] = ()
        self._superpixels = SuperpixelStream(count=count or 1, options=self.options.superpixels)
        self._materials = Materials(self.options.other_color, self.options.strangers)
        self._standing = Standing.empty(self.options.levels)
        self._window: list[FrameGraph] = []
        self._before: Any = None  # picture of the last frame
        self._flow: Any = None  # FlowStream whose last frame is that; None after a flow that was given
        self._first = 0  # index of the first frame of the window

    def reset(self) -> None:
        """Begin anew with the next frame, of any size; frames that are not finished are dropped. Numbers go on."""
        self._window = []
        self._before = self._flow = None
        self._first = self.frames
        self._cut()

    def _cut(self) -> None:
        self._superpixels.reset()
        self._materials.forget()
        following = self._standing.following
        self._standing = Standing.empty(self.options.levels)
        self._standing.following = following

    @property
    def limits(self) -> NDArray[np.float64]:
        """(levels,) cost up to which regions are joined on each level above the superpixels."""
        return self.options.first * self.options.growth ** np.arange(self.options.levels, dtype=np.float64)

    def update(self, frame: Any, flow: Any = None) -> Supervoxels | None:
        """Take the next frame.

        Parameters
        ----------
        frame : (H, W, 3) RGB or (H, W) grey; uint8, or float32 in [0, 1]; all of one size
        flow : (H, W, 2) float32, pixels, from the frame before to this one, not finite where unknown; None: estimated

        Returns
        -------
        Supervoxels, the frames that are finished by this one, or None. At a cut all those before it.

        Raises
        ------
        ShapeError, DtypeError, RangeError, DeviceUnavailableError
        """
        caller = "SupervoxelStream.update"
        there = device_of(frame) if self.device == "auto" else choose_device(self.device)
        picture = superpixel_picture(caller, frame, "frame")
        if self.count is not None:
            check_count(caller, self.count, picture)
        if flow is not None:
            check_shapes(caller, frame=(picture[:, :, 0], "H W"), flow=(flow, "H W 2"))
            check_dtype(caller, np.float32, flow=flow)
        picture = to_device(picture, there)
        if self._before is not None and self._before.shape != picture.shape:
            raise ShapeError(
                f"{caller}: frame is {tuple(picture.shape[:2])}; expected {tuple(self._before.shape[:2])} as the "
                "frames before. Resize it, or take what is left with finish(), which allows another size."
            )
        if self._before is None:
            pixels = picture.shape[0] * picture.shape[1]
            self._superpixels.count = self.count or min(MOST_SUPERPIXELS, max(1, pixels // SUPERPIXEL_AREA))
        if flow is None:
            flow = self._flow_to(picture)
        else:
            flow, self._flow = to_device(flow, there), None
        self._before = picture.copy() if picture is frame else picture
        done = self._add(picture, flow)
        self.frames += 1
        if done is None and len(self._window) == self.options.window + self.options.overlap:
            done = self._decide(self.options.window)
        return done

    def finish(self) -> Supervoxels | None:
        """The frames that are left, None when there are none. The next frame begins anew; numbers go on."""
        done = self._decide(len(self._window)) if self._window else None
        self.reset()
        return done

    def _flow_to(self, picture: Any) -> Any:
        """(H, W, 2) from the last picture to this one; None where there is none or it is not wanted."""
        from cvseg.flow import FlowStream

        if self.options.flow == "none":
            return None
        if self._flow is None:
            self._flow = FlowStream(self.options.flow)
            if self._before is not None:  # the flow into it was given
                self._flow.update(self._before)
        pair = self._flow.update(picture)
        return None if pair is None else pair.forward_xy

    def _add(self, picture: Any, flow: Any) -> Supervoxels | None:
        """Put a frame into the window. What was there before is returned at a cut."""
        done, self.cuts = None, ()
        old_slots = self._superpixels.slots
        levels = lab_pictures(picture, 0)[0]
        self._superpixels.update(picture, flow)
        colors, sums = self._colors(levels)
        if self._materials.changed(self._superpixels.ids, sums, CUT_COLOR) > self.options.cut:
            done = self._decide(len(self._window)) if self._window else None
            self._cut()
            self.cuts = (self.frames,)
            self._superpixels.update(picture)
            old_slots = flow = None
            colors, sums = self._colors(levels)
        self._window.append(self._graph(levels, colors, sums, old_slots, flow))
        return done

    def _colors(self, levels: Any) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        from cvseg.kernels.supervoxels.node_colors import node_colors

        stream = self._superpixels
        colors, sums = node_colors(stream.slots, levels, np.int32(len(stream.ids)))
        return to_host(colors), to_host(sums)

    def _graph(
        self, levels: Any, colors: NDArray[np.int32], sums: NDArray[np.int64], old_slots: Any, flow: Any
    ) -> FrameGraph:
        from cvseg.kernels.bands import run_together
        from cvseg.kernels.supervoxels.node_borders import node_borders

        slots, ids = self._superpixels.slots, self._superpixels.ids
        count = len(ids)
        if old_slots is None or flow is None:
            pairs, borders = node_borders(slots, levels, np.int32(count))
            links = None
        else:
            (pairs, borders), links = run_together(
                lambda: node_borders(slots, levels, np.int32(count)), lambda: self._links(old_slots, slots, flow, count)
            )
        nodes_before = self._materials.nodes
        nodes = self._materials.update(ids, sums, links)
        source, target, pixels = (np.zeros(0, np.int64),) * 3 if links is None else links
        ends = np.stack(np.divmod(to_host(pairs), max(1, count)), axis=1).astype(np.int32)
        return FrameGraph(
            slots,
            nodes,
            colors,
            sums,
            None,
            ends,
            to_host(borders),
            np.stack([nodes_before[source], target], axis=1).astype(np.int32),
            pixels.astype(np.int32),
        )

    def _links(
        self, old_slots: Any, slots: Any, flow: Any, count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Where pixels of the superpixels before went. Their motion is added to the frame before, if it waits."""
        from cvseg.kernels.supervoxels.node_links import node_links
        from cvseg.kernels.supervoxels.node_motion import node_motion

        if self._window:
            before = self._window[-1]
            reference = to_device(_camera_xy(flow), device_of(flow))
            before.motions = to_host(node_motion(old_slots, flow, reference, np.int32(len(before.nodes))))
        pairs, pixels = node_links(old_slots, slots, flow, np.int32(count))
        source, target = np.divmod(to_host(pairs), max(1, count))
        return source, target, to_host(pixels)[:, 0].astype(np.int64)

    def _decide(self, finished: int) -> Supervoxels:
        """Regions of the first frames of the window, which leave it."""
        options = self.options
        weights = np.array([options.power, options.motion, options.contrast, options.link, FULL_COLOR])
        regions, self._standing = merge_window(
            self._window, finished, self._standing, self.limits, weights, options.fading
        )
        frames, self._window = self._window[:finished], self._window[finished:]
        first = self._first
        self._first += finished
        tables = tuple(np.concatenate([frame.nodes[None], own]) for frame, own in zip(frames, regions, strict=True))
        return Supervoxels(first, tuple(frame.slots for frame in frames), tables)

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on later, as numbers and host arrays."""
        return {
            "count": self.count,
            "levels": self.options.levels,
            "frames": self.frames,
            "first": self._first,
            "superpixels": self._superpixels.state_dict(),
            "materials": self._materials.state_dict(),
            "standing": self._standing.state_dict(),
            "window": [_frame_state(frame) for frame in self._window],
            "before": None if self._before is None else np.array(to_host(self._before)),
            "flow": None if self._flow is None else self._flow.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken; the options stay those of this stream.

        Raises
        ------
        OptionError
            when it was made for another number of superpixels or levels.
        """
        if (state["count"], state["levels"]) != (self.count, self.options.levels):
            raise OptionError(
                f"SupervoxelStream.load_state_dict: the state is of count {state['count']} and {state['levels']} "
                f"levels; this stream has {self.count} and {self.options.levels}. Make it with the same."
            )
        self.reset()
        self.frames, self._first = int(state["frames"]), int(state["first"])
        self._superpixels.count = state["superpixels"]["count"]
        self._superpixels.load_state_dict(state["superpixels"])
        self._materials.load_state_dict(state["materials"])
        self._standing = Standing.from_state(state["standing"])
        self._window = [FrameGraph(**{name: _copied(value) for name, value in own.items()}) for own in state["window"]]
        self._before = _copied(state["before"])
        if state["flow"] is not None:
            from cvseg.flow import FlowStream

            self._flow = FlowStream(self.options.flow)
            self._flow.load_state_dict(state["flow"])


def _camera_xy(flow: Any) -> NDArray[np.float32]:
    """(2,) the middle motion of the picture, which is the camera's where most of it stands still."""
    sample_xy = to_host(flow[::SAMPLED, ::SAMPLED]).reshape(-1, 2)
    sample_xy = sample_xy[np.isfinite(sample_xy).all(axis=1)]
    return np.median(sample_xy, axis=0).astype(np.float32) if len(sample_xy) else np.zeros(2, np.float32)


def _copied(value: Any) -> Any:
    return None if value is None else np.array(value)


def _frame_state(frame: FrameGraph) -> dict[str, Any]:
    held = {one.name: getattr(frame, one.name) for one in fields(frame)}
    return {name: None if value is None else np.array(to_host(value)) for name, value in held.items()}
