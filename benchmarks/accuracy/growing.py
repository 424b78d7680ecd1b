"""Regions grown from generated seeds, and without seeds, ours and other libraries', against what people drew.

python benchmarks/accuracy/growing.py [--seed 1000] [--frames 2] [--limit N] [--only NAME ...] [--walker] [--levels]
    [--json FILE]

Seeds are made from the truth: `eroded` is what lies deeper than a third of the greatest depth of each region,
`scribbles` are two wandering lines of 60 pixels in each region, `points` three discs of radius 3. Data: frames of every
DAVIS clip (two labels, the score is J of the object) and the Berkeley images (the labels of the person with the median
number of regions, the score is the mean J over labels). CPU time is the median of all images.

`--limit` takes that many images of each set, spread evenly; `--only` some of the methods, by name.
`--walker` adds scikit-image's random walker, which takes seconds. OpenCV's GrabCut, for two labels only, is told what
the nearest seed says of every other pixel. `--levels` measures `merge_regions` instead, on the Berkeley region
measures, against scikit-image's felzenszwalb over scales and smallest sizes.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from measuring import ROOT, write_record

from cvseg.evaluation import region_benchmark, region_scores
from cvseg.formats.bsds import read_bsds_truth
from cvseg.regions import grow, merge_regions
from cvseg.video.still_image import read_image

Image = tuple[np.ndarray, np.ndarray]  # picture, truth from 1
LEVELS = (2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 22, 27, 33, 40, 50, 65, 85)
PEER_LEVELS = ((100, 100), (200, 100), (400, 200), (400, 500), (800, 300), (800, 1000), (1500, 500), (1500, 1500))


def depth(inside: np.ndarray) -> np.ndarray:
    return ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]


def eroded(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    seeds = np.zeros_like(truth)
    for label in np.unique(truth):
        deep = depth(truth == label)
        seeds[deep >= max(0.35 * deep.max(), min(2, deep.max()))] = label
    return seeds


def points(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    seeds = np.zeros_like(truth)
    rows, columns = np.mgrid[: truth.shape[0], : truth.shape[1]]
    for label in np.unique(truth):
        deep = depth(truth == label)
        allowed = np.flatnonzero(deep >= (min(0.4 * deep.max(), 5) if deep.max() > 5 else deep.max()))
        for place in rng.choice(allowed, min(3, allowed.size), replace=False):
            y, x = divmod(int(place), truth.shape[1])
            seeds[((rows - y) ** 2 + (columns - x) ** 2 <= 9) & (truth == label)] = label
    return seeds


def scribbles(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    seeds = np.zeros_like(truth)
    height, width = truth.shape
    for label in np.unique(truth):
        deep = depth(truth == label)
        least = min(5.0, 0.5 * deep.max())
        allowed = np.flatnonzero(deep >= least)
        line = np.zeros(truth.shape, bool)
        for _ in range(2):
            y, x = (float(v) for v in divmod(int(rng.choice(allowed)), width))
            angle = rng.uniform(0, 2 * np.pi)
            for _ in range(60):
                line[int(y), int(x)] = True
                angle += rng.normal(0, 0.2)
                v, u = y + np.sin(angle), x + np.cos(angle)
                if 0 <= v < height and 0 <= u < width and deep[int(v), int(u)] >= least:
                    y, x = v, u
                else:
                    angle = rng.uniform(0, 2 * np.pi)
        seeds[ndimage.binary_dilation(line, iterations=2) & (truth == label)] = label
    return seeds


def skimage_watershed(image: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    from skimage.color import rgb2gray
    from skimage.filters import sobel
    from skimage.segmentation import watershed

    return watershed(sobel(rgb2gray(image)), seeds)


def skimage_random_walker(image: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    from skimage.segmentation import random_walker

    return random_walker(image, seeds, mode="cg_j", channel_axis=-1)


def opencv_watershed(image: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    import cv2

    found = seeds.copy()
    cv2.watershed(np.ascontiguousarray(image[:, :, ::-1]), found)
    # Its lines belong to nobody: to the nearest label.
    where = ndimage.distance_transform_edt(found <= 0, return_distances=False, return_indices=True)
    return found[tuple(where)]


def opencv_grabcut(image: np.ndarray, seeds: np.ndarray) -> np.ndarray | None:
    import cv2

    if seeds.max() != 2:
        return None
    where = ndimage.distance_transform_edt(seeds == 0, return_distances=False, return_indices=True)
    mask = np.where(seeds[tuple(where)] == 2, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    mask[seeds == 1], mask[seeds == 2] = cv2.GC_BGD, cv2.GC_FGD
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(image[:, :, ::-1]), mask, None, *models, 5, cv2.GC_INIT_WITH_MASK)
    return np.where((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD), 2, 1)


METHODS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray | None]] = {
    "watershed": lambda image, seeds: grow(image, seeds),
    "spanning_forest": lambda image, seeds: grow(image, seeds, method="spanning_forest"),
    "spanning_forest fast": lambda image, seeds: grow(image, seeds, method="spanning_forest", preset="fast"),
    "random_walker": lambda image, seeds: grow(image, seeds, method="random_walker"),
    "skimage watershed": skimage_watershed,
    "opencv watershed": opencv_watershed,
    "opencv grabcut": opencv_grabcut,
}


def davis_images(folder: Path, frames: int) -> list[Image]:
    images = []
    for clip in sorted((folder / "DAVIS2016" / "JPEGImages" / "480p").iterdir()):
        files = sorted(clip.glob("*.jpg"))
        for place in np.linspace(0.1, 0.6, frames):
            file = files[int(place * len(files))]
            mask = folder / "DAVIS2016" / "Annotations" / "480p" / clip.name / f"{file.stem}.png"
            truth = read_image(mask)[:, :, 0] > 127
            if truth.sum() > 500:
                images.append((read_image(file), truth.astype(np.int32) + 1))
    return images


def berkeley_images(folder: Path) -> list[tuple[np.ndarray, list[np.ndarray]]]:
    images = []
    for part in ("BSDS500", "BSDS500_bench"):
        for path in sorted((folder / part / "images").rglob("*.jpg")):
            for truth in sorted((folder / part / "groundTruth").rglob(f"{path.stem}.mat"))[:1]:
                images.append((read_image(path), [labels for labels, _ in read_bsds_truth(truth)]))
    return images


def spread(images: list, limit: int) -> list:
    """`limit` of the images, evenly; all for 0."""
    if not 0 < limit < len(images):
        return images
    return [images[k * len(images) // limit] for k in range(limit)]


def typical(truths: list[np.ndarray]) -> np.ndarray:
    """The truth with the median number of regions, from 1."""
    counts = [np.unique(truth).size for truth in truths]
    chosen = truths[int(np.argsort(counts)[len(counts) // 2])]
    return np.unique(chosen, return_inverse=True)[1].reshape(chosen.shape).astype(np.int32) + 1


def overlap(found: np.ndarray, truth: np.ndarray, labels: list[int]) -> float:
    shares = [((found == k) & (truth == k)).sum() / ((found == k) | (truth == k)).sum() for k in labels]
    return float(np.mean(shares))


def measure_seeds(sets: dict[str, list[Image]], methods: dict[str, Callable], first_seed: int) -> dict:
    record: dict = {}
    tiny = np.zeros((16, 16), np.int32)
    tiny[2, 2], tiny[12, 12] = 1, 2
    for method in methods.values():
        method(np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8), tiny)
    for name, images in sets.items():
        for make in (eroded, scribbles, points):
            rows: dict[str, list[float]] = {key: [] for key in methods}
            times: dict[str, list[float]] = {key: [] for key in methods}
            for number, (image, truth) in enumerate(images):
                seeds = make(truth, np.random.default_rng(first_seed + number)).astype(np.int32)
                labels = [2] if name == "davis" else np.unique(truth).tolist()
                for key, method in methods.items():
                    start = time.process_time()
                    found = method(image, seeds)
                    if found is not None:
                        times[key].append(1e3 * (time.process_time() - start))
                        rows[key].append(overlap(found, truth, labels))
            print(f"\n{name}, {make.__name__}, {len(images)} images: J, CPU ms")
            for key in methods:
                if rows[key]:
                    row = record[f"{name} {make.__name__} {key}"] = (
                        float(np.mean(rows[key])),
                        float(np.median(times[key])),
                    )
                    print(f"  {key:24s} {row[0]:.3f} {row[1]:8.0f}", flush=True)
    return record


def measure_levels(images: list[tuple[np.ndarray, list[np.ndarray]]]) -> dict:
    from skimage.segmentation import felzenszwalb

    hierarchies = [merge_regions(image) for image, _ in images]
    heights = [[np.log(h.costs[max(h.most - count - 1, 0)] + 1e-9) for count in LEVELS] for h in hierarchies]
    thresholds = np.exp(np.mean(heights, axis=0))
    ours = [
        region_scores([h.labels(threshold=float(height)) for height in thresholds], truths)
        for h, (_, truths) in zip(hierarchies, images, strict=True)
    ]
    peers = [
        region_scores([felzenszwalb(image, scale=s, sigma=0.8, min_size=least) for s, least in PEER_LEVELS], truths)
        for image, truths in images
    ]
    record = {}
    print(f"{len(images)} Berkeley images: covering ODS, OIS, best; PRI ODS, OIS; VoI ODS, OIS")
    for name, scores in (("merge_regions", ours), ("felzenszwalb", peers)):
        result = region_benchmark(scores)
        row = (result.covering_ods, result.covering_ois, result.covering_best, result.rand_ods, result.rand_ois)
        record[name] = *row, result.information_ods, result.information_ois
        print(f"  {name:16s}", " ".join(f"{value:.3f}" for value in record[name]))
    return record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--frames", type=int, default=2)
    parser.add_argument("--limit", type=int, default=0, help="images of each set; 0: all")
    parser.add_argument("--only", nargs="*", help="methods to measure, by name")
    parser.add_argument("--walker", action="store_true")
    parser.add_argument("--levels", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    folder = Path(os.environ.get("CVSEG_DATA", ROOT.parent / "shared" / "data"))
    berkeley = spread(berkeley_images(folder), options.limit)
    if options.levels:
        record = measure_levels(berkeley)
    else:
        methods = dict(METHODS)
        if options.walker:
            methods["skimage random_walker"] = skimage_random_walker
        if options.only:
            methods = {name: methods[name] for name in options.only}
        sets = {
            "davis": spread(davis_images(folder, options.frames), options.limit),
            "berkeley": [(image, typical(truths)) for image, truths in berkeley],
        }
        record = measure_seeds(sets, methods, options.seed)
    write_record(options.json, record)


if __name__ == "__main__":
    main()
