"""What each background model makes of one difficulty at a time: generated scenes with exact truth, ours and OpenCV's.

python benchmarks/accuracy/change_stages.py [--method NAME ...] [--baselines NAME ...] [--scenes NAME ...]
                                            [--option METHOD.KEY=VALUE ...]

F1 over the frames from the thirtieth on, all their pixels together; in the lines that end in "%", where nothing should
be found, the share of the picture that is. Pictures have 72 x 96 pixels and noise of 2 grey levels; a thing of 24 x 16
pixels goes 3 pixels a frame if nothing else is said.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from change import chosen_methods
from measuring import print_row

from cvseg.background import BACKGROUND_METHODS
from cvseg.baselines import BASELINE_BACKGROUND_METHODS
from tests.background.scenes import HEIGHT, WIDTH, f_measure, filmed, put, texture

Picture = NDArray[np.float32]
Pairs = Iterator[tuple[Picture, NDArray[np.bool_]]]

FRAMES, FIRST = 70, 30  # of a scene; frame from which on it is scored
SPARE = 8  # pixels of a scene around the picture of a camera that moves
THING = texture(7, 20, 120, radius=1, size_hw=(24, 16))
ACROSS = np.linspace(0, 1, WIDTH, dtype=np.float32)[None, :, None]
NOTHING = np.zeros((HEIGHT, WIDTH), bool)


def passing(ground: Picture, begin: int = FIRST, thing: Picture = THING) -> Pairs:
    """A thing that enters on the left in frame `begin`."""
    for t in range(FRAMES):
        yield put(ground, thing, 3 * (t - begin) - 16, 24) if t >= begin else (ground, NOTHING)


def there_from_the_first_frame() -> Pairs:
    for t in range(FRAMES):
        yield put(texture(4), THING, 20 + t // 2, 24)


def gone_after_twelve_frames() -> Pairs:
    for t in range(FRAMES):
        yield put(texture(3), THING, 40, 24)[0] if t < 12 else texture(3), NOTHING


def stops() -> Pairs:
    for t in range(FRAMES):
        yield put(texture(9), THING, min(3 * (t - 10) - 16, 40), 24)


def shadow() -> Pairs:
    ground = texture(5, 120, 220, radius=3)
    for t in range(FRAMES):
        x = 3 * (t - FIRST) - 30
        dark, _ = put(np.ones_like(ground), np.full((24, 20, 3), 0.72, np.float32), x + 16, 24)
        yield put(ground * dark, THING, x, 24)


def light(change: Callable[[Picture], Picture]) -> Pairs:
    """The light changes in the first frame that is scored, while a thing crosses."""
    for t, (scene, truth) in enumerate(passing(texture(15, 50, 150), begin=FIRST - 6)):
        yield (np.asarray(change(scene), np.float32) if t >= FIRST else scene), truth


def leaves() -> Pairs:
    """Spots on the left half show any grey in three of ten frames."""
    rng, spots_hw, enlarge = np.random.default_rng(1), (HEIGHT // 4, WIDTH // 8), np.ones((4, 4, 1), np.float32)
    for scene, truth in passing(texture(1), thing=np.broadcast_to(np.float32([230, 40, 40]), THING.shape)):
        scene = scene.copy()
        on = (np.kron(rng.random((*spots_hw, 1)) < 0.3, enlarge) > 0) & ~truth[:, : WIDTH // 2, None]
        color = np.kron(rng.uniform(40, 220, (*spots_hw, 1)), enlarge) * np.float32([0.8, 1, 0.7])
        scene[:, : WIDTH // 2] = np.where(on, color, scene[:, : WIDTH // 2])
        yield scene, truth


def water() -> Pairs:
    """Waves of up to 36 levels on the lower half."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    for t in range(FRAMES):
        wave = 20 * np.sin(x / 3 + 0.9 * t) + 16 * np.sin(y / 2 - 1.3 * t + x / 7)
        scene = np.stack([70 + wave, 100 + wave, 120 + wave], axis=2).astype(np.float32)
        scene[: HEIGHT // 2] = texture(31, 90, 160)[: HEIGHT // 2]
        yield put(scene, THING * 0.4, 3 * (t - FIRST) - 16, 40)


def camera(step: Callable[[int, np.random.Generator], tuple[int, int]], width: int) -> Pairs:
    """A wide scene, seen from (x, y) in each frame."""
    rng, ground = np.random.default_rng(5), texture(11, 40, 210, radius=2, size_hw=(HEIGHT + 2 * SPARE, width))
    for t in range(FRAMES):
        x, y = step(t, rng)
        scene, truth = put(ground, THING, x + 3 * (t - FIRST) - 16, SPARE + 24)
        part = np.s_[y : y + HEIGHT, x : x + WIDTH]
        yield scene[part], truth[part] if t >= FIRST else NOTHING


def faint() -> Pairs:
    """A thing that is 12 levels brighter than its ground."""
    ground = texture(3, 90, 150, radius=3)
    for t in range(FRAMES):
        added, truth = put(np.zeros_like(ground), np.full((32, 20, 3), 12, np.float32), 3 * (t - FIRST) - 16, 20)
        yield ground + added, truth


def shaking(t: int, rng: np.random.Generator) -> tuple[int, int]:
    x, y = rng.integers(-3, 4, 2)
    return SPARE + int(x), SPARE + int(y)


SCENES: dict[str, Callable[[], Pairs]] = {
    "a thing passes": lambda: passing(texture(1)),
    "there from the first frame": there_from_the_first_frame,
    "gone after 12 frames, %": gone_after_twelve_frames,
    "stops, and stands": stops,
    "casts a shadow": shadow,
    "light x 0.6": lambda: light(lambda scene: scene * 0.6),
    "light + 40": lambda: light(lambda scene: scene + 40),
    "lamp on half": lambda: light(lambda scene: np.where(ACROSS > 0.5, 1.5 * scene, scene)),
    "leaves": leaves,
    "water": water,
    "faint, 12 levels": faint,
    "noise alone, %": lambda: ((texture(2), NOTHING) for _ in range(FRAMES)),
    "camera shakes": lambda: camera(shaking, WIDTH + 2 * SPARE),
    "camera pans": lambda: camera(lambda t, _: (3 * t, SPARE), WIDTH + 3 * FRAMES),
}


def score(update: Callable[[NDArray[np.uint8]], NDArray[np.bool_]], pairs: Pairs) -> float:
    """F1 over the frames from `FIRST` on, or where the truth is empty the share of the picture that is found, in %."""
    rng, scored = np.random.default_rng(0), []
    for t, (scene, truth) in enumerate(pairs):
        mask = np.asarray(update(filmed(scene, rng)), bool)
        if t >= FIRST:
            scored.append((mask, truth))
    if not any(truth.any() for _, truth in scored):
        return 100 * float(np.mean([mask.mean() for mask, _ in scored]))
    return float(f_measure(scored))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--method", nargs="*", choices=list(BACKGROUND_METHODS), default=list(BACKGROUND_METHODS))
    parser.add_argument("--baselines", nargs="*", choices=list(BASELINE_BACKGROUND_METHODS), metavar="NAME")
    parser.add_argument("--scenes", nargs="+", metavar="PART", default=[""], help="those whose name holds one of these")
    parser.add_argument("--option", nargs="+", action="extend", default=[], metavar="METHOD.KEY=VALUE")
    options = parser.parse_args(argv)
    baselines = ["opencv_mog2", "opencv_knn"] if options.baselines is None else options.baselines
    makers, missing = chosen_methods(options.method, baselines, options.option)
    for name, reason in missing.items():
        print(f"left out: {name}. {reason}")
    widths = (28, *(max(len(name.removeprefix("opencv_")), 6) for name in makers))
    titles = [name.removeprefix("opencv_").rjust(width) for name, width in zip(makers, widths[1:], strict=True)]
    print_row(("F1, or % found", *titles), widths)
    for name, scenes in SCENES.items():
        if any(part in name for part in options.scenes):
            print_row((name, *(score(make(), scenes()) for make in makers.values())), widths)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
