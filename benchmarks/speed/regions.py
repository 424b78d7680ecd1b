"""Regions against SciPy, scikit-image and OpenCV: ratios of time on one thread, ``python -m benchmarks.speed.regions``

Ours and one peer run in turn in one process, so that both have the same machine; a ratio below 1 means ours is faster.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import ndimage
from skimage import measure, morphology, segmentation

from benchmarks.speed.machine import parse_size
from cvseg import regions
from cvseg.kernels.bands import run_alone

CORNERS = np.ones((3, 3, 3))  # neighbours that share a corner
# Operation, picture, ours, {peer: call}
Row = tuple[str, str, Callable[[], Any], dict[str, Callable[[], Any]]]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.regions", description=__doc__)
    parser.add_argument("--size", default="480p", help="480p, 1080p, 2160p or HEIGHTxWIDTH")
    parser.add_argument("--repeats", type=int, default=15, help="timed runs of each pair")
    parser.add_argument("--only", default="", help="operations whose name contains this word")
    options = parser.parse_args(arguments)
    try:
        import cv2

        cv2.setNumThreads(1)
    except ImportError:
        cv2 = None
    name, size_hw = parse_size(options.size)
    print(f"{name}, {size_hw[0]}x{size_hw[1]}, one thread; ours in ms, then ours / peer")
    print(f"{'operation':28} {'picture':8} {'ms':>8} {'opencv':>8} {'scipy':>8} {'scikit':>8}")
    for operation, picture, ours, peers in rows(pictures(size_hw), cv2):
        if options.only not in operation:
            continue
        # Each peer leaves the caches in another state: a ratio is of one pair, and the time the best of the pairs.
        ratios, ours_ms = {}, float("inf")
        for peer, call in peers.items():
            own_ms, peer_ms = pair_ms(lambda ours=ours: run_alone(ours), call, options.repeats)
            ratios[peer] = own_ms / peer_ms
            ours_ms = min(ours_ms, own_ms)
        text = "".join(f" {ratios[peer]:8.2f}" if peer in ratios else " " * 9 for peer in ("opencv", "scipy", "scikit"))
        print(f"{operation:28} {picture:8} {ours_ms:8.3f}{text}", flush=True)
    return 0


def pair_ms(ours: Callable[[], Any], peer: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Median CPU time of both, run in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    ours()
    peer()
    for _ in range(repeats):
        for call, spent in zip((ours, peer), times, strict=True):
            start = time.thread_time_ns()
            call()
            spent.append(1e-6 * (time.thread_time_ns() - start))
    return float(np.median(times[0])), float(np.median(times[1]))


def pictures(size_hw: tuple[int, int]) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    height, width = size_hw
    y, x = np.ogrid[:height, :width]
    return {
        "image": rng.integers(0, 256, size_hw, dtype=np.uint8),
        "blobs": ndimage.gaussian_filter(rng.random(size_hw, dtype=np.float32), 8) > 0.5,
        "object": (y - 0.6 * height) ** 2 + (x - 0.4 * width) ** 2 < (0.2 * height) ** 2,
        "noise": rng.random(size_hw) < 0.5,
    }


def rows(images: dict[str, Any], cv2: Any) -> Iterator[Row]:
    """What is compared. OpenCV's dilation and distances agree with ours here, as the footprints are symmetric."""
    image, blobs = images["image"], images["blobs"]
    byte_blobs = blobs.view(np.uint8)
    for k in (3, 7, 21, 61):
        box = np.ones((k, k), np.uint8)
        yield f"erode {k}x{k}", "image", lambda k=k: regions.erode(image, k), with_opencv(
            cv2, lambda box=box: cv2.erode(image, box),
            scipy=lambda k=k: ndimage.grey_erosion(image, (k, k)),
            scikit=lambda box=box: morphology.erosion(image, box),
        )  # fmt: skip
    for k in (5, 21):
        box = np.ones((k, k), np.uint8)
        yield f"opening {k}x{k}", "blobs", lambda k=k: regions.opening(blobs, k), with_opencv(
            cv2, lambda box=box: cv2.morphologyEx(byte_blobs, cv2.MORPH_OPEN, box),
            scipy=lambda box=box: ndimage.binary_opening(blobs, box),
            scikit=lambda box=box: morphology.opening(blobs, box),
        )  # fmt: skip
    for radius in (2, 5, 10):
        disc = regions.disc(radius)
        shape = disc.astype(np.uint8)
        yield f"dilate disc {radius}", "image", lambda disc=disc: regions.dilate(image, disc), with_opencv(
            cv2, lambda shape=shape: cv2.dilate(image, shape),
            scipy=lambda disc=disc: ndimage.grey_dilation(image, footprint=disc),
        )  # fmt: skip
        yield f"dilate disc {radius}", "blobs", lambda disc=disc: regions.dilate(blobs, disc), with_opencv(
            cv2, lambda shape=shape: cv2.dilate(byte_blobs, shape),
            scipy=lambda disc=disc: ndimage.binary_dilation(blobs, disc),
        )  # fmt: skip
    for name in ("blobs", "object", "noise"):
        mask = images[name]
        byte_mask = mask.view(np.uint8)
        yield "distance euclidean", name, lambda mask=mask: regions.distance_transform(mask), with_opencv(
            cv2, lambda m=byte_mask: cv2.distanceTransform(m, cv2.DIST_L2, cv2.DIST_MASK_PRECISE),
            scipy=lambda mask=mask: ndimage.distance_transform_edt(mask),
        )  # fmt: skip
        for metric, code in (("taxicab", "DIST_L1"), ("chessboard", "DIST_C")):
            yield f"distance {metric}", name, lambda m=mask, k=metric: regions.distance_transform(m, k), with_opencv(
                cv2, lambda m=byte_mask, code=code: cv2.distanceTransform(m, getattr(cv2, code), 3),
                scipy=lambda m=mask, k=metric: ndimage.distance_transform_cdt(m, k),
            )  # fmt: skip
        yield (
            "nearest background",
            name,
            lambda mask=mask: regions.nearest_background(mask),
            {"scipy": lambda mask=mask: ndimage.distance_transform_edt(mask, return_indices=True)},
        )
        yield "components", name, lambda mask=mask: regions.label_components(mask), with_opencv(
            cv2, lambda m=byte_mask: cv2.connectedComponents(m, connectivity=8),
            scipy=lambda mask=mask: ndimage.label(mask, CORNERS[0]),
            scikit=lambda mask=mask: measure.label(mask),
        )  # fmt: skip
        stripes = mask * (1 + np.arange(mask.shape[1], dtype=np.int32) // 50).astype(np.int32)
        yield (
            "components of labels",
            name,
            lambda stripes=stripes: regions.label_components(stripes),
            {"scikit": lambda stripes=stripes: measure.label(stripes)},
        )
        yield (
            "fill holes",
            name,
            lambda mask=mask: regions.fill_holes(mask),
            {"scipy": lambda mask=mask: ndimage.binary_fill_holes(mask)},
        )
        yield (
            "remove small regions",
            name,
            lambda mask=mask: regions.remove_small_regions(mask, 64),
            {"scikit": lambda mask=mask: morphology.remove_small_objects(mask, max_size=63)},
        )
        yield (
            "clear border",
            name,
            lambda mask=mask: regions.clear_border(mask),
            {"scikit": lambda mask=mask: segmentation.clear_border(mask)},
        )
        video = np.stack([np.roll(mask, 3 * t, axis=1) for t in range(10)])
        yield (
            "components of 10 frames",
            name,
            lambda video=video: regions.label_volume(video),
            {"scipy": lambda video=video: ndimage.label(video, CORNERS)},
        )
        yield (
            "stream of 10 frames",
            name,
            lambda video=video: stream(video),
            {"scipy": lambda video=video: ndimage.label(video, CORNERS)},
        )


def with_opencv(cv2: Any, call: Callable[[], Any], **others: Callable[[], Any]) -> dict[str, Callable[[], Any]]:
    return {"opencv": call, **others} if cv2 is not None else others


def stream(video: Any) -> None:
    components = regions.ComponentStream()
    for mask in video:
        components.update(mask)


if __name__ == "__main__":
    raise SystemExit(main())
