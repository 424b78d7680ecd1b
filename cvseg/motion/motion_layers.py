"""`MotionLayers`: the foreground of successive frames divided into objects that move each in its own way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, common_device, to_device, to_host
from cvseg.checks import check_dtype, check_shapes
from cvseg.motion.layer_evidence import (
    Evidence,
    LayerTables,
    find_parts,
    judge_pairs,
    judge_parts,
    part_ways,
    remove_islands,
)
from cvseg.motion.layer_motion import LEAST_SAMPLES, STEP, LayerMotion, Samples, affine_of, fit_motion, sampled

NEW_COVER = 0.1  # share of a component under the layers of the last frame below which it is a new layer
MARGIN_PX = 10  # around the last place of a layer that it may grow to in a frame
LEAST_AREA = 0.0005  # smallest layer, as a share of the frame
SMOOTHNESS = np.float32(0.4)  # cost of a neighbour in another layer, where there is no edge
ROUNDS = 4
COLOR_WEIGHT = 0.125  # cost per e-fold of rareness of a colour in a layer
LEAST_COLOR = 1e-4  # share of a layer that any colour may have
COLOR_RATE = 0.1
MET_ALONE = 3  # frames alone, or there from the start, after which a layer that meets another is an object
MET_AREA = 0.25  # and its least area, in areas of the other


@dataclass
class MotionLayer:
    """What is known of one layer.

    Attributes
    ----------
    number : of its own, never used again
    whole : the layer that it still counts as a part of; None for an object
    motion, against_camera : of the last frame, in pixels of it, and with the camera's motion taken off
    frames, frames_alone : since it began, and those in which it touched no other layer
    frames_split : frames in a row in which it lay in two large pieces far apart
    area_px : in the last frame
    colors : (512,) adding up to 1, or None
    proven : it has moved, or been, apart from what it touches: an object of its own
    evidence : for a part, that it is more than a part
    """

    number: int
    whole: MotionLayer | None = None
    motion: LayerMotion | None = None
    against_camera: LayerMotion | None = None
    frames: int = 0
    frames_alone: int = 0
    frames_split: int = 0
    area_px: int = 0
    colors: NDArray[np.float64] | None = None
    proven: bool = False
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def root(self) -> MotionLayer:
        return self if self.whole is None else self.whole.root


@dataclass(frozen=True)
class LayerMap:
    """The objects of one frame.

    Attributes
    ----------
    labels : (h, w) int32 on the device of the mask, 0 outside it, objects 1..n inside
    proven : (n,) bool, which of them are known to be objects of their own, and no pieces of others
    numbers : (n,) int64, the layers' own numbers, the same from frame to frame
    """

    labels: Any
    proven: NDArray[np.bool_]
    numbers: NDArray[np.int64]


class MotionLayers:
    """Divides the foreground, frame by frame, into layers with affine motions of their own.

    A layer lives on where its pixels go: objects that were apart keep their labels when they cross, stop, or move alike
    for a while. What moves otherwise than the layer it lies in becomes a part of it, and an object of its own once it
    has slid along it for long enough; a leg or a head is held by its joint and does not. All state lies in the object.

    Layers as in [WangAdelson1994]_, but carried on from frame to frame; pixels are assigned by iterated conditional
    modes [Besag1986]_. See docs/methods/motion_layers.md.

    Examples
    --------
    >>> layers, still = MotionLayers(), np.eye(3)
    >>> mask = np.zeros((40, 60), bool)
    >>> mask[10:20, 5:15] = mask[10:20, 30:45] = True
    >>> flow_xy = np.zeros((40, 60, 2), np.float32)
    >>> found = layers.push(mask, np.zeros((40, 60, 3), np.uint8), flow_xy, flow_xy, still, still)
    >>> found.labels[15, [0, 10, 20, 40]].tolist()
    [0, 1, 0, 2]
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all layers: a new shot begins."""
        self._layers: list[MotionLayer] = []
        self._labels: Any = None
        self._together: dict[tuple[int, int], Evidence] = {}
        self._next_number = 1

    def push(
        self,
        mask: Any,
        image: Any,
        backward_xy: Any,
        forward_xy: Any,
        camera_backward: NDArray[np.float64],
        camera_forward: NDArray[np.float64],
    ) -> LayerMap:
        """Divide the next frame. Synchronises a GPU: every second row and column of the flow is read back.

        Parameters
        ----------
        mask : (h, w) bool, the foreground
        image : (h, w, 3) uint8 RGB, on the same device
        backward_xy, forward_xy : (h, w, 2) float32, pixels, to the frame before and to the next
        camera_backward, camera_forward : (3, 3), the camera's motion likewise

        Raises
        ------
        ShapeError, DtypeError, DeviceMismatchError
        """
        self._check(mask, image, backward_xy, forward_xy)
        xp = array_module(mask)
        if self._labels is None:
            self._labels = xp.zeros(mask.shape, np.int32)
        least = max(16, int(LEAST_AREA * mask.shape[0] * mask.shape[1]))
        carried = self._carried(mask, backward_xy)
        if not self._layers:
            self._labels = carried
            return LayerMap(carried, np.zeros(0, bool), np.zeros(0, np.int64))
        samples = Samples(
            sampled(carried),
            sampled(backward_xy),
            sampled(forward_xy),
            affine_of(camera_backward),
            affine_of(camera_forward),
        )
        boxes = self._fit(samples)
        current = self._assigned(mask, carried, image, backward_xy, forward_xy, boxes)
        current = self._reconsidered(current, samples, least)
        self._keep(current, image)
        return self._shown()

    @staticmethod
    def _check(mask: Any, image: Any, backward_xy: Any, forward_xy: Any) -> None:
        check_shapes(
            "MotionLayers.push",
            mask=(mask, "h w"),
            image=(image, "h w 3"),
            backward_xy=(backward_xy, "h w 2"),
            forward_xy=(forward_xy, "h w 2"),
        )
        check_dtype("MotionLayers.push", np.bool_, mask=mask)
        check_dtype("MotionLayers.push", np.uint8, image=image)
        check_dtype("MotionLayers.push", np.float32, backward_xy=backward_xy, forward_xy=forward_xy)
        common_device("MotionLayers.push", mask, image, backward_xy, forward_xy)

    def _new_layer(self, whole: MotionLayer | None = None) -> MotionLayer:
        layer = MotionLayer(self._next_number, whole)
        self._next_number += 1
        self._layers.append(layer)
        return layer

    def _carried(self, mask: Any, backward_xy: Any) -> Any:
        """Last frame's labels, moved along the flow; components with hardly any are new layers."""
        from cvseg.kernels.labeling.label_areas import label_areas
        from cvseg.kernels.labeling.label_overlap import label_overlap
        from cvseg.kernels.labeling.relabel import relabel
        from cvseg.kernels.labeling.warp_labels import warp_labels
        from cvseg.regions import label_components

        xp = array_module(mask)
        device = common_device("MotionLayers.push", mask)
        carried = xp.where(mask, warp_labels(self._labels, xp.ascontiguousarray(backward_xy)), np.int32(0))
        components, count = label_components(mask)
        if not count:
            self._layers = []
            return carried
        shifts = to_device(np.zeros((count + 1, 2), np.int32), device)
        shared = to_host(label_overlap(components, carried, shifts, np.int32(len(self._layers) + 1)))[1:, 1:]
        area = to_host(label_areas(components, np.int32(count)))[1:]
        table = np.zeros(count + 1, np.int32)
        first = self._next_number == 1
        for component in np.flatnonzero(shared.sum(1) < NEW_COVER * area):
            self._new_layer().frames_alone = MET_ALONE if first else 0
            table[component + 1] = len(self._layers)
        if table.any():
            fresh = relabel(components, to_device(table, device))
            carried = xp.where(fresh > 0, fresh, carried)
        return carried

    def _fit(self, samples: Samples) -> NDArray[np.int32]:
        """The motion of every layer in this frame; and the boxes in which it may be, (n + 1, 4) xyxy."""
        rows, columns = np.nonzero(samples.labels)
        labels = samples.labels[rows, columns]
        order = np.argsort(labels, kind="stable")
        ends = np.searchsorted(labels[order], np.arange(len(self._layers) + 1), side="right")
        boxes = np.zeros((len(self._layers) + 1, 4), np.int32)
        for k, layer in enumerate(self._layers, start=1):
            own = order[ends[k - 1] : ends[k]]
            y, x = rows[own], columns[own]
            if len(own):
                boxes[k] = STEP * x.min(), STEP * y.min(), STEP * (x.max() + 1), STEP * (y.max() + 1)
                boxes[k] += np.array([-1, -1, 1, 1], np.int32) * MARGIN_PX
            self._move(layer, y, x, samples)
        return boxes

    @staticmethod
    def _move(layer: MotionLayer, rows: Any, columns: Any, samples: Samples) -> None:
        last = layer.against_camera
        if len(rows) >= LEAST_SAMPLES:
            layer.motion, _ = fit_motion(rows, columns, samples, last)
        else:
            steady = np.zeros((2, 3))
            last = last or LayerMotion(steady, steady, 1.0)
            layer.motion = LayerMotion(
                samples.camera_backward + last.backward, samples.camera_forward + last.forward, last.noise_px
            )
        layer.against_camera = LayerMotion(
            layer.motion.backward - samples.camera_backward,
            layer.motion.forward - samples.camera_forward,
            layer.motion.noise_px,
        )

    def _assigned(
        self, mask: Any, carried: Any, image: Any, backward_xy: Any, forward_xy: Any, boxes: NDArray[np.int32]
    ) -> Any:
        """Every pixel of the foreground in the layer that explains it best."""
        from cvseg.kernels.motion.layer_labels import MODEL_SIZE, layer_labels

        xp = array_module(mask)
        n = len(self._layers)
        if n == 1:
            return mask.astype(np.int32)
        models = np.zeros((n + 1, MODEL_SIZE), np.float32)
        for k, layer in enumerate(self._layers, start=1):
            assert layer.motion is not None
            motion = layer.motion
            models[k] = (*motion.backward.ravel(), *motion.forward.ravel(), 0.5 / motion.noise_px**2)
        device = common_device("MotionLayers.push", mask)
        fixed = (
            self._labels,
            carried,
            xp.ascontiguousarray(backward_xy),
            xp.ascontiguousarray(forward_xy),
            xp.ascontiguousarray(image),
            *(to_device(table, device) for table in (models, boxes, self._color_costs())),
        )
        current = xp.where(mask, np.int32(-1), np.int32(0))
        current = layer_labels(current, *fixed, np.float32(0), np.int32(1))
        for _ in range(ROUNDS):
            current = layer_labels(current, *fixed, SMOOTHNESS, np.int32(0))
        return current

    def _color_costs(self) -> NDArray[np.float32]:
        """(n + 1, 512): the rarer a colour is in a layer, the more; a layer of unknown colours costs the mean."""
        costs = np.zeros((len(self._layers) + 1, 512), np.float32)
        known = [k for k, layer in enumerate(self._layers, start=1) if layer.colors is not None]
        for k in known:
            costs[k] = -COLOR_WEIGHT * np.log(np.asarray(self._layers[k - 1].colors) + LEAST_COLOR)
        if known:
            unknown = [k for k in range(1, len(costs)) if k not in known]
            costs[unknown] = costs[known].mean(0)
        return costs

    def _reconsidered(self, current: Any, samples: Samples, least: int) -> Any:
        """Pixels out of reach of all layers become new ones; islands go, parts come, are proven, or are given up."""
        from cvseg.kernels.labeling.relabel import relabel

        xp = array_module(current)
        device = common_device("MotionLayers.push", current)
        current = self._with_the_rest(current, least)
        given = samples.labels = sampled(current)
        labels = remove_islands(given, least // STEP**2)
        samples.labels = labels
        for k, layer in enumerate(self._layers, start=1):
            if layer.motion is None:  # it has just come
                rows, columns = np.nonzero(labels == k)
                self._move(layer, rows, columns, samples)
        tables = LayerTables(self._layers, samples)
        labels = find_parts(labels, self._layers, samples, tables, least // STEP**2, self._new_layer)
        samples.labels = labels
        tables = LayerTables(self._layers, samples)
        labels = judge_parts(labels, self._layers, samples, tables, least // STEP**2)
        labels = judge_pairs(labels, self._layers, tables, self._together)
        self._meet(tables)
        labels = part_ways(labels, self._layers, self._new_layer)
        if labels is given:
            return current
        old, new = (to_device(np.ascontiguousarray(one), device) for one in (given, labels))
        old, new = (_enlarged(xp, one, current.shape) for one in (old, new))
        current = xp.where(current == old, new, current)
        # A layer that is given up leaves nothing behind between the samples.
        n = len(self._layers)
        moved = np.bincount(given.ravel().astype(np.int64) * (n + 1) + labels.ravel(), minlength=(n + 1) ** 2)
        moved = moved.reshape(n + 1, n + 1)
        gone = (moved.sum(0) == 0) & (moved.sum(1) > 0)
        return relabel(current, to_device(np.where(gone, moved.argmax(1), np.arange(n + 1)).astype(np.int32), device))

    def _with_the_rest(self, current: Any, least: int) -> Any:
        from cvseg.kernels.labeling.relabel import relabel
        from cvseg.regions import label_components

        xp = array_module(current)
        if not bool((current < 0).any()):
            return current
        rest, count = label_components(current < 0)
        table = np.zeros(count + 1, np.int32)
        for part in range(1, count + 1):
            self._new_layer()
            table[part] = len(self._layers)
        named = relabel(rest, to_device(table, common_device("MotionLayers.push", current)))
        return xp.where(named > 0, named, current)

    def _meet(self, tables: LayerTables) -> None:
        """Who was alone for a while, and now touches another of its kind, is an object; a fragment is a part."""
        for k, layer in enumerate(self._layers, start=1):
            if layer.whole is not None:
                continue
            roots = {
                id(one.root): one.root for one in (self._layers[o - 1] for o in np.flatnonzero(tables.touching[k]))
            }
            others = [one for one in roots.values() if one is not layer]
            layer.frames_alone += not others
            for other in others:
                if layer.area_px > other.area_px or layer.proven:
                    continue
                if layer.frames_alone >= MET_ALONE and layer.area_px >= MET_AREA * other.area_px:
                    layer.proven = other.proven = True
                else:
                    layer.whole, layer.evidence = other, Evidence()
                    break

    def _keep(self, current: Any, image: Any) -> None:
        """Number the layers that have pixels through, and learn their areas and colours."""
        from cvseg.kernels.labeling.relabel import relabel
        from cvseg.kernels.regions.region_histogram import region_histogram

        xp = array_module(current)
        device = common_device("MotionLayers.push", current)
        n = np.int32(len(self._layers))
        counts = to_host(region_histogram(current, xp.ascontiguousarray(image), n)).astype(np.int64)
        areas = counts.sum(1)
        table = np.zeros(n + 1, np.int32)
        table[1:][areas > 0] = np.arange(1, int((areas > 0).sum()) + 1)
        self._labels = relabel(current, to_device(table, device))
        for layer, area, colors in zip(self._layers, areas, counts, strict=True):
            layer.area_px = int(area)
            layer.frames += 1
            if area:
                newest = colors / area
                old = layer.colors
                layer.colors = newest if old is None else (1 - COLOR_RATE) * old + COLOR_RATE * newest
        for layer in self._layers:
            if not layer.area_px:
                self._inherit(layer)
        self._layers = [layer for layer in self._layers if layer.area_px]
        alive = {layer.number for layer in self._layers}
        self._together = {pair: one for pair, one in self._together.items() if alive.issuperset(pair)}

    def _inherit(self, gone: MotionLayer) -> None:
        """The largest part of a layer without pixels takes its place."""
        parts = [layer for layer in self._layers if layer.whole is gone]
        if gone.whole is not None or not any(part.area_px for part in parts):
            for part in parts:
                part.whole = gone.whole
            return
        heir = max(parts, key=lambda part: part.area_px)
        heir.number, gone.number = gone.number, heir.number
        heir.whole, heir.proven, heir.frames_alone = None, gone.proven, gone.frames_alone
        heir.evidence = Evidence()
        for part in parts:
            if part is not heir:
                part.whole = heir

    def _shown(self) -> LayerMap:
        """Parts shown as what they are parts of."""
        from cvseg.kernels.labeling.relabel import relabel

        roots = [layer for layer in self._layers if layer.whole is None]
        place = {layer.number: k for k, layer in enumerate(roots, start=1)}
        table = np.array([0, *(place[layer.root.number] for layer in self._layers)], np.int32)
        labels = relabel(self._labels, to_device(table, common_device("MotionLayers.push", self._labels)))
        return LayerMap(
            labels,
            np.array([layer.proven for layer in roots], bool),
            np.array([layer.number for layer in roots], np.int64),
        )


def _enlarged(xp: Any, samples: Any, shape_hw: tuple[int, int]) -> Any:
    rows = xp.repeat(samples, STEP, axis=0)[: shape_hw[0]]
    return xp.ascontiguousarray(xp.repeat(rows, STEP, axis=1)[:, : shape_hw[1]])
