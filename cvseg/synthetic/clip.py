"""`render_clip`: a film made from photographs, frame by frame, with exact truth."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import RangeError
from cvseg.records import Frame
from cvseg.synthetic.options import ClipOptions
from cvseg.synthetic.stage import Layer, build_camera, build_layers


@dataclass(frozen=True)
class TrueTrack:
    """One visible object of one frame.

    Attributes
    ----------
    id : from 1, the value of its pixels in the labels; a higher id is nearer; new when it enters again
    name : which cut-out it is
    box_xyxy : half-open box around its visible pixels
    area_px : number of its visible pixels
    centroid_xy : mean of its visible pixels
    visible_fraction : `area_px` over the area of its whole outline, also outside the frame; 1 when nothing hides it
    """

    id: int
    name: str
    box_xyxy: tuple[float, float, float, float]
    area_px: int
    centroid_xy: tuple[float, float]
    visible_fraction: float


@dataclass(frozen=True)
class SyntheticFrame:
    """One frame of a rendered clip with its truth.

    Attributes
    ----------
    index : from 0
    time_s : presentation time
    image : (H, W, 3) uint8 RGB
    labels : (H, W) int32, 0 background, else object id; the nearest object with more than half coverage owns a pixel
    flow_xy : (H, W, 2) float32, pixels to the next frame, of what is seen at the pixel; never NaN
    occluded : (H, W) bool, True where the point is hidden, or outside the frame, in the next frame
    tracks : the visible objects, by id
    """

    index: int
    time_s: Fraction
    image: NDArray[np.uint8]
    labels: NDArray[np.int32]
    flow_xy: NDArray[np.float32]
    occluded: NDArray[np.bool_]
    tracks: tuple[TrueTrack, ...]


class SyntheticClip:
    """A rendered clip: ``len``, iteration and ``clip[index]`` give `SyntheticFrame`; nothing is stored but two frames.

    Attributes
    ----------
    options : the `ClipOptions` it was made with
    size_hw : height and width
    rate : frames per second
    """

    def __init__(self, options: ClipOptions) -> None:
        self.options = options
        self.size_hw = (options.size_hw[0], options.size_hw[1])
        self.rate = options.rate
        self._camera = build_camera(options)
        self._layers = build_layers(options, self._camera)
        self._areas = [float((layer.texture[..., 3] > 0.5).sum()) for layer in self._layers]
        # Flow needs the next frame's owners; in a sequence each frame is rendered once.
        self._recent: OrderedDict[int, tuple[NDArray[np.float32], NDArray[np.int32]]] = OrderedDict()

    def __len__(self) -> int:
        return self.options.frames

    def __iter__(self) -> Iterator[SyntheticFrame]:
        for index in range(len(self)):
            yield self[index]

    def __getitem__(self, index: int) -> SyntheticFrame:
        """Frame `index` with its truth; a negative one counts from the end.

        Raises
        ------
        IndexError
            so that iteration protocols end
        """
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(f"frame {index} of a clip with {len(self)} frames")
        colour, owner = self._composed(index)
        matrices = self._matrices(index)
        flow_xy = self._flow(owner, matrices, self._matrices(index + 1))
        labels = self._label_table(index)[owner]
        return SyntheticFrame(
            index=index,
            time_s=Fraction(index, self.rate),
            image=self._exposed(colour, index),
            labels=labels,
            flow_xy=flow_xy,
            occluded=_occluded(owner, self._composed(index + 1)[1], flow_xy),
            tracks=self._tracks(index, labels, matrices),
        )

    def image_at(self, index: int) -> NDArray[np.uint8]:
        """Only the picture of a frame: about twice as fast as ``clip[index].image``.

        Raises
        ------
        RangeError
        """
        if not 0 <= index < len(self):
            raise RangeError(f"image_at: index is {index}; expected 0 to {len(self) - 1}.")
        return self._exposed(self._composed(index)[0], index)

    def frames(self) -> Iterator[Frame]:
        """The clip as plain video frames, without truth."""
        for index in range(len(self)):
            yield Frame(index, Fraction(index, self.rate), self.image_at(index), f"{index:05d}")

    def _matrices(self, index: int) -> list[NDArray[np.float64]]:
        return [layer.matrix_at(index, self._camera, self.size_hw) for layer in self._layers]

    def _label_table(self, index: int) -> NDArray[np.int32]:
        return np.array([layer.label_at(index, self.options.objects) for layer in self._layers], np.int32)

    def _composed(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Colour in [0, 1] before light and noise, and the layer that owns each pixel."""
        if index in self._recent:
            return self._recent[index]
        from cvseg.kernels.compositing.blend_layer import blend_layer

        height, width = self.size_hw
        colour = np.zeros((height, width, 3), np.float32)
        owner = np.zeros((height, width), np.int32)
        for i, (layer, matrix) in enumerate(zip(self._layers, self._matrices(index), strict=True)):
            box = _covered_box(layer, matrix, height, width)
            to_layer = np.linalg.inv(matrix)[:2].astype(np.float32).ravel()
            number = np.int32(-1 if layer.number < 0 else i)
            blend_layer(colour, owner, layer.texture_at(index), to_layer, *(np.int32(v) for v in box), number)
        self._recent[index] = (colour, owner)
        while len(self._recent) > 2:
            self._recent.popitem(last=False)
        return colour, owner

    def _exposed(self, colour: NDArray[np.float32], index: int) -> NDArray[np.uint8]:
        options = self.options
        gain = 1 - options.light_change * (1 - np.cos(2 * np.pi * index / 100)) / 2
        gain *= 1 + options.flicker * np.sin(2 * np.pi * 0.37 * index + options.seed)
        grey_levels = colour * np.float32(255 * gain)
        if options.noise_sigma:
            rng = np.random.default_rng([options.seed, 3, index])
            noise = rng.standard_normal(grey_levels.shape, np.float32)
            noise *= np.float32(options.noise_sigma)
            grey_levels += noise
        grey_levels += np.float32(0.5)
        return np.clip(grey_levels, 0, 255, out=grey_levels).astype(np.uint8)

    def _flow(
        self, owner: NDArray[np.int32], now: list[NDArray[np.float64]], then: list[NDArray[np.float64]]
    ) -> NDArray[np.float32]:
        """Every layer moves by one affine map; each pixel takes the map of the layer that owns it."""
        height, width = self.size_hw
        flow_xy = np.empty((height, width, 2), np.float32)
        for i, (layer, before, after) in enumerate(zip(self._layers, now, then, strict=True)):
            if layer.number < 0:
                continue
            x0, y0, x1, y1 = (0, 0, width, height) if i == 0 else _covered_box(layer, before, height, width)
            if x0 >= x1 or y0 >= y1:
                continue
            # What stands must not flow by a rounding error.
            step = np.zeros((3, 3)) if np.array_equal(before, after) else after @ np.linalg.inv(before) - np.eye(3)
            x, y = np.arange(x0, x1)[None, :], np.arange(y0, y1)[:, None]
            here = flow_xy[y0:y1, x0:x1]
            mine = True if i == 0 else owner[y0:y1, x0:x1] == i
            for axis in (0, 1):
                along = step[axis, 0] * x + (step[axis, 1] * y + step[axis, 2])
                np.copyto(here[..., axis], along, where=mine, casting="same_kind")
        return flow_xy

    def _tracks(
        self, index: int, labels: NDArray[np.int32], matrices: list[NDArray[np.float64]]
    ) -> tuple[TrueTrack, ...]:
        tracks = []
        height, width = self.size_hw
        for layer, matrix, area in zip(self._layers, matrices, self._areas, strict=True):
            label = layer.label_at(index, self.options.objects)
            x0, y0, x1, y1 = _covered_box(layer, matrix, height, width)
            mask = labels[y0:y1, x0:x1] == label
            if label == 0 or not mask.any():
                continue
            per_row, per_column = mask.sum(1), mask.sum(0)
            rows, columns = np.flatnonzero(per_row), np.flatnonzero(per_column)
            count = int(per_row.sum())
            # Whole area: the texture's, scaled by the map; rotation and shift leave it alone.
            whole = area * abs(float(np.linalg.det(matrix)))
            tracks.append(
                TrueTrack(
                    id=label,
                    name=layer.name,
                    box_xyxy=(
                        float(x0 + columns[0]),
                        float(y0 + rows[0]),
                        float(x0 + columns[-1] + 1),
                        float(y0 + rows[-1] + 1),
                    ),
                    area_px=count,
                    centroid_xy=(
                        float(x0 + (per_column * np.arange(x1 - x0)).sum() / count),
                        float(y0 + (per_row * np.arange(y1 - y0)).sum() / count),
                    ),
                    visible_fraction=min(1.0, count / whole),
                )
            )
        return tuple(sorted(tracks, key=lambda track: track.id))


def render_clip(options: ClipOptions | None = None) -> SyntheticClip:
    """A film of photographic cut-outs that move over a photograph, with exact masks, flow and tracks.

    Parameters
    ----------
    options : what it shows; the default is `ClipOptions()`

    Returns
    -------
    SyntheticClip : renders a frame when it is asked for; the same options give the same bits on one machine

    Raises
    ------
    InputError
        when scikit-image's photographs are not installed.

    Examples
    --------
    >>> clip = render_clip(ClipOptions(size_hw=(48, 64), frames=3, objects=1))
    >>> [frame.labels.shape for frame in clip]
    [(48, 64), (48, 64), (48, 64)]
    """
    return SyntheticClip(options if options is not None else ClipOptions())


def _covered_box(layer: Layer, matrix: NDArray[np.float64], height: int, width: int) -> tuple[int, int, int, int]:
    """Half-open box of frame pixels that the layer can touch: x0, y0, x1, y1."""
    rows, columns = layer.texture.shape[:2]
    corners = matrix @ np.array([[0, columns - 1, 0, columns - 1], [0, 0, rows - 1, rows - 1], [1, 1, 1, 1]])
    x0, y0 = np.floor(corners[:2].min(1)).astype(int)
    x1, y1 = np.ceil(corners[:2].max(1)).astype(int) + 1
    return max(0, int(x0)), max(0, int(y0)), min(width, int(x1)), min(height, int(y1))


def _occluded(
    owner: NDArray[np.int32], next_owner: NDArray[np.int32], flow_xy: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """True where the flow leads out of the frame or to a pixel that another layer owns."""
    height, width = owner.shape
    x = np.rint(flow_xy[..., 0] + np.arange(width, dtype=np.float32)[None, :]).astype(np.int32)
    y = np.rint(flow_xy[..., 1] + np.arange(height, dtype=np.float32)[:, None]).astype(np.int32)
    outside = (x < 0) | (x >= width) | (y < 0) | (y >= height)
    np.clip(x, 0, width - 1, out=x)
    np.clip(y, 0, height - 1, out=y)
    y *= width
    y += x
    return outside | (next_owner.ravel()[y] != owner)
