"""Rectangles that move exactly, with exact flow: what tests of motion layers are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cvseg.motion.motion_layers import MotionLayers

SIZE_HW = 96, 160


@dataclass
class Thing:
    """A rectangle: its corner at frame t is ``start_xy + t velocity_xy``, or ``path(t)``."""

    start_xy: tuple[float, float]
    size_wh: tuple[int, int]
    velocity_xy: tuple[float, float] = (0.0, 0.0)
    path: object = None

    def corner(self, t):
        if self.path is not None:
            return np.asarray(self.path(t), np.float64)
        return np.asarray(self.start_xy, np.float64) + t * np.asarray(self.velocity_xy, np.float64)


def owners(things, t, hidden=()):
    """(H, W) number of the thing in front, from 1; later things are in front, and `hidden` columns show none."""
    labels = np.zeros(SIZE_HW, np.int32)
    for k, thing in enumerate(things, start=1):
        x, y = np.rint(thing.corner(t)).astype(int)
        width, height = thing.size_wh
        labels[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)] = k
    for first, last in hidden:
        labels[:, first:last] = 0
    return labels


def flow(things, t, other, labels):
    """Exact flow from frame t to frame `other`; the background stands still."""
    flow_xy = np.zeros((*SIZE_HW, 2), np.float32)
    for k, thing in enumerate(things, start=1):
        flow_xy[labels == k] = np.rint(thing.corner(other)) - np.rint(thing.corner(t))
    return flow_xy


def followed(things, frames, *, noise=0.0, camera_xy=(0.0, 0.0), hidden=(), seed=0, convert=lambda *arrays: arrays):
    """Layers of all frames: a list of (owners, LayerMap, labels as the layers' own numbers)."""
    rng = np.random.default_rng(seed)
    layers, found = MotionLayers(), []
    backward, forward = np.eye(3), np.eye(3)
    backward[:2, 2], forward[:2, 2] = -np.asarray(camera_xy), camera_xy
    for t in range(frames):
        truth = owners(things, t, hidden)
        flows = [flow(things, t, other, truth) for other in (t - 1, t + 1)]
        flows[0] -= np.float32(camera_xy)
        flows[1] += np.float32(camera_xy)
        flows = [one + rng.normal(0, noise, one.shape).astype(np.float32) for one in flows]
        image = np.full((*SIZE_HW, 3), 120, np.uint8)
        arrays = convert(truth > 0, image, *flows)
        layer_map = layers.push(*arrays, backward, forward)
        labels = np.asarray(layer_map.labels.get() if hasattr(layer_map.labels, "get") else layer_map.labels)
        numbers = np.concatenate([[0], layer_map.numbers])[labels]
        found.append((truth, layer_map, numbers))
    return found


def agreement(truth, numbers, thing):
    """Overlap of a thing with the one layer that covers it best, and the number of that layer."""
    inside = truth == thing
    best = np.bincount(numbers[inside]).argmax()
    return float((inside & (numbers == best)).sum() / (inside | (numbers == best)).sum()), int(best)
