"""Drawn masks whose truth is known, and trackers that run over them."""

import numpy as np

from cvseg.regions import label_components
from cvseg.tracking import Tracker

SIZE_HW = (90, 160)


def draw(*boxes_xywh, size_hw=SIZE_HW):
    """Mask with filled ellipses around (x, y), of width w and height h."""
    y, x = np.mgrid[: size_hw[0], : size_hw[1]]
    mask = np.zeros(size_hw, bool)
    for cx, cy, width, height in boxes_xywh:
        mask |= ((x - cx) / (width / 2)) ** 2 + ((y - cy) / (height / 2)) ** 2 <= 1
    return mask


def run(masks, options=None, **extras):
    """All frames are read at the end, when every number is known."""
    return list(live(masks, options, **extras))


def live(masks, options=None, **extras):
    """One frame after the other, to be read at once."""
    tracker = Tracker(options)
    for t, mask in enumerate(masks):
        yield tracker.update(t, label_components(mask)[0], **{name: values[t] for name, values in extras.items()})


def id_at(frame, x, y):
    return int(frame.labels[round(y), round(x)])


def busy_scene(frames=14):
    masks = []
    for t in range(frames):
        mask = draw((20 + 5 * t, 40, 14, 36), (100 - 5 * t, 44, 14, 36), (60, 15 + 3 * t, 10, 10), (150, 70, 8, 12))
        mask[:, 118:122] = False
        masks.append(mask)
    images = np.random.default_rng(1).integers(0, 256, (frames, *SIZE_HW, 3), dtype=np.uint8)
    return masks, list(images)
