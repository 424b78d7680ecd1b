"""Time of growing at 854x480 against scikit-image and OpenCV, interleaved in one process.

python benchmarks/speed/growing.py [--repeats 7] [--walker] [--half] [--only NAME ...]

Seeds are three points in each of four labels on a generated picture. CPU time of all threads, medians; the ratio is to
the same call of scikit-image. `--walker` adds scikit-image's random walker, which takes seconds. `--half` measures
at 427x240.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from cvseg.records import RegionTable
from cvseg.regions import adjacency, grow, merge_regions, point_seeds, region_properties
from cvseg.superpixels import segment

SIZE_HW = 480, 854
HALF_HW = 240, 427


def picture(size_hw: tuple[int, int] = SIZE_HW) -> np.ndarray:
    """Blobs of colours with texture and noise."""
    rng = np.random.default_rng(0)
    channels = []
    for _ in range(3):
        blobs = ndimage.gaussian_filter(rng.normal(size=size_hw), 40) * 2500
        channels.append(128 + np.round(blobs / 30) * 30 + rng.normal(0, 6, size_hw))
    return np.stack(channels, axis=2).clip(0, 255).astype(np.uint8)


def shapes_of(table: RegionTable) -> tuple[np.ndarray, ...]:
    """What a table works out when it is read."""
    return table.axes_px, table.orientation_rad, table.eccentricity, table.extent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--walker", action="store_true")
    parser.add_argument("--half", action="store_true")
    parser.add_argument("--only", nargs="*", help="calls to measure, by name")
    options = parser.parse_args()
    from skimage.color import rgb2gray
    from skimage.filters import sobel
    from skimage.graph import rag_boundary
    from skimage.measure import regionprops_table
    from skimage.segmentation import random_walker, watershed

    size_hw = HALF_HW if options.half else SIZE_HW
    image = picture(size_hw)
    rng = np.random.default_rng(1)
    columns, rows = rng.integers(0, size_hw[1], 12), rng.integers(0, size_hw[0], 12)
    points = [(x, y, k % 4 + 1) for k, (x, y) in enumerate(zip(columns, rows, strict=True))]
    seeds = point_seeds(points, size_hw, radius=3)
    labels = segment(image, count=600) + np.int32(1)
    relief = sobel(rgb2gray(image)).astype(np.float32).clip(0, 1)
    shapes = ("area", "bbox", "centroid", "orientation", "axis_major_length", "axis_minor_length", "eccentricity")
    wishes = (*shapes, "extent", "perimeter", "intensity_mean", "intensity_std")
    calls = {
        "watershed": lambda: grow(image, seeds),
        "spanning_forest": lambda: grow(image, seeds, method="spanning_forest"),
        "skimage watershed": lambda: watershed(sobel(rgb2gray(image)), seeds),
        "random_walker": lambda: grow(image, seeds, method="random_walker"),
        "merge_regions": lambda: merge_regions(image),
        "adjacency": lambda: adjacency(labels, boundary=relief),
        "skimage rag_boundary": lambda: rag_boundary(labels, relief, connectivity=1),
        "region_properties": lambda: shapes_of(region_properties(labels)),
        "with colour and perimeter": lambda: shapes_of(region_properties(labels, image=image, perimeter=True)),
        "skimage regionprops_table": lambda: regionprops_table(labels, properties=shapes),
        "skimage colour, perimeter": lambda: regionprops_table(labels, image, properties=wishes),
    }
    if options.walker:
        calls["skimage random_walker"] = lambda: random_walker(image, seeds, mode="cg_j", channel_axis=-1)
    if options.only:
        calls = {name: calls[name] for name in options.only}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for repeat in range(options.repeats + 1):
        for name, call in calls.items():
            if name == "skimage random_walker" and repeat > 1:
                continue
            start, cpu = time.perf_counter(), time.process_time()
            call()
            if repeat:  # the first compiles
                times[name].append((1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - cpu)))
    for name, rows in times.items():
        wall, cpu = np.median(rows, axis=0)
        print(f"{name:26s} {wall:9.1f} ms wall {cpu:9.1f} ms CPU")


if __name__ == "__main__":
    main()
