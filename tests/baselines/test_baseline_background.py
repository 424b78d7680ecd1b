"""Other libraries' background models under our signature."""

import numpy as np
import pytest

from cvseg.baselines import BASELINE_BACKGROUND_METHODS
from cvseg.errors import MissingExtraError


def _made(name):
    try:
        return BASELINE_BACKGROUND_METHODS[name]()
    except MissingExtraError as error:
        pytest.skip(str(error))


def _frames(count):
    rng = np.random.default_rng(4)
    ground = rng.integers(60, 120, (48, 65, 3))
    for index in range(count):
        frame = np.clip(ground + rng.integers(-1, 2, ground.shape), 0, 255).astype(np.uint8)
        if index >= 40:
            frame[15:35, 4 * (index - 40) : 4 * (index - 40) + 20] = (250, 230, 240)
        yield frame


@pytest.mark.parametrize("name", BASELINE_BACKGROUND_METHODS)
def test_a_baseline_finds_a_block_that_enters_an_empty_scene(name):
    model = _made(name)
    for frame in _frames(47):
        mask = model.update(frame)
    assert mask.shape == (48, 65) and mask.dtype == np.bool_
    assert mask[17:33, 26:42].mean() > 0.9
    assert mask[:, 50:].mean() < 0.05


@pytest.mark.parametrize("name", BASELINE_BACKGROUND_METHODS)
def test_a_baseline_finds_the_same_again(name):
    first = _made(name)
    masks = [first.update(frame) for frame in _frames(50)]
    again = _made(name)
    assert all((again.update(frame) == mask).all() for frame, mask in zip(_frames(50), masks, strict=True))
