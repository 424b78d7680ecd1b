"""Generated scenes with exact truth, for the tests of background models."""

import numpy as np

from cvseg.kernels.filtering.box_mean import box_mean

HEIGHT, WIDTH = 72, 96


def texture(seed, low=60, high=190, radius=2, size_hw=(HEIGHT, WIDTH)):
    """A smooth random picture, (h, w, 3) float32."""
    rough = np.random.default_rng(seed).random((3, *size_hw), dtype=np.float32)
    smooth = box_mean(rough, np.int32(radius))
    smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    return np.moveaxis(low + (high - low) * smooth, 0, 2)


def put(scene, thing, x, y):
    """`scene` with `thing` at whole pixels (x, y), and the mask of it; both are cut at the edges."""
    scene, mask = scene.copy(), np.zeros(scene.shape[:2], bool)
    height, width = thing.shape[:2]
    top, left = max(y, 0), max(x, 0)
    bottom, right = min(y + height, scene.shape[0]), min(x + width, scene.shape[1])
    if bottom > top and right > left:
        scene[top:bottom, left:right] = thing[top - y : bottom - y, left - x : right - x]
        mask[top:bottom, left:right] = True
    return scene, mask


def filmed(scene, rng, noise=2.0):
    """As a camera sees it: with noise, in 8 bits."""
    return np.clip(scene + rng.normal(0, noise, scene.shape), 0, 255).astype(np.uint8)


def f_measure(pairs):
    hits = sum(int((mask & truth).sum()) for mask, truth in pairs)
    wrong = sum(int((mask ^ truth).sum()) for mask, truth in pairs)
    return 2 * hits / (2 * hits + wrong)


def play(model, scenes, seed=0, noise=2.0):
    """Masks of a model for (scene, truth) pairs, with their truth."""
    rng = np.random.default_rng(seed)
    return [(model.update(filmed(scene, rng, noise)).mask, truth) for scene, truth in scenes]
