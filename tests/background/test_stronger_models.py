"""Gaussian mixture, sample consensus and flux tensor: what each knows that the others do not."""

from __future__ import annotations

import numpy as np
import pytest

from cvseg.background import (
    FluxTensor,
    FluxTensorOptions,
    GaussianMixture,
    GaussianMixtureOptions,
    SampleConsensus,
    SampleConsensusOptions,
)
from cvseg.errors import OptionError

STREET = np.array([120, 118, 110])


def street(rng, size_hw=(40, 56), light=1.0):
    return np.clip(np.round(STREET * light + rng.normal(0, 2, (*size_hw, 3))), 0, 255).astype(np.uint8)


def test_two_colours_that_alternate_are_both_background_for_a_mixture():
    rng, model = np.random.default_rng(0), GaussianMixture(GaussianMixtureOptions(background_share=0.9))
    for step in range(120):
        image = street(rng)
        image[:, :20] = (200, 40, 40) if step % 2 else (40, 40, 200)
        result = model.update(image)
        if step > 60:
            assert not result.mask.any()
    image[10:30, 4:16] = 20, 220, 20
    assert model.update(image).mask[12:28, 6:14].all()


def test_a_mixture_keeps_one_gaussian_where_one_is_enough():
    rng, model = np.random.default_rng(1), GaussianMixture()
    for _ in range(80):
        model.update(street(rng))
    in_use = (model.state_dict()["arrays"]["weights"] > 0).sum(axis=1)
    assert in_use.mean() < 1.3


@pytest.mark.parametrize(
    ("make", "options"), [(GaussianMixture, GaussianMixtureOptions), (SampleConsensus, SampleConsensusOptions)]
)
def test_a_shadow_is_marked_as_one_and_not_in_the_mask(make, options):
    for darkest, is_shadow in ((0.6, True), (1.0, False)):
        rng, model = np.random.default_rng(2), make(options(shadow_darkest=darkest))
        for _ in range(40):
            model.update(street(rng))
        image = street(rng)
        image[10:30, 10:40] = (image[10:30, 10:40] * 0.7).astype(np.uint8)
        result = model.update(image)
        middle = (slice(14, 26), slice(14, 36))
        assert (result.shadow[middle].mean() > 0.8) == is_shadow
        assert (result.mask[middle].mean() < 0.1) == is_shadow


def test_the_ghost_of_who_stood_in_the_first_frames_goes_soon_and_a_known_background_stays():
    rng, model = np.random.default_rng(3), SampleConsensus()
    first = street(rng)
    first[10:30, 10:25] = 20, 20, 20
    model.update(first)
    assert model.update(street(rng)).mask[14:26, 14:21].all()
    for _ in range(18):
        result = model.update(street(rng))
    assert not result.mask.any()
    for _ in range(60):
        model.update(street(rng))
    for _ in range(40):  # on a background seen for 80 frames
        image = street(rng)
        image[10:30, 10:25] = 20, 20, 20
        result = model.update(image)
    assert result.mask[14:26, 14:21].all()


def test_after_a_sudden_change_of_light_the_samples_calm_down_within_thirty_frames():
    rng, model = np.random.default_rng(4), SampleConsensus()
    for _ in range(60):
        model.update(street(rng))
    shares = [model.update(street(rng, light=1.6)).mask.mean() for _ in range(30)]
    assert shares[0] > 0.9
    assert shares[-1] < 0.01


def test_flux_sees_no_slow_light_and_nothing_of_what_has_stopped():
    rng, model = np.random.default_rng(5), FluxTensor()
    for step in range(40):
        assert not model.update(street(rng, light=1 + 0.004 * step)).mask.any()
    model.reset()
    for step in range(30):
        image = street(rng)
        left = min(2 * step, 24)
        image[10:30, left : left + 16] = 220, 30, 30
        mask = model.update(image).mask
        if 5 <= step <= 11:
            assert mask.any()
    assert not mask.any()


def test_more_frames_of_flux_see_less_noise():
    energies = []
    for frames in ("3", "5", "7"):
        rng, model = np.random.default_rng(6), FluxTensor(FluxTensorOptions(frames=frames))
        for _ in range(12):
            result = model.update(np.clip(rng.normal(120, 8, (30, 40, 3)), 0, 255).astype(np.uint8))
        energies.append(float(result.foreground.mean()))
    assert energies[0] > 5 * energies[1] > 5 * energies[2] > 0


def test_options_out_of_range_are_refused():
    with pytest.raises(OptionError, match="modes is 0"):
        GaussianMixtureOptions(modes=0)
    with pytest.raises(OptionError, match="samples is 1; expected at least 2"):
        SampleConsensusOptions(samples=1)
    with pytest.raises(OptionError, match="frames is '4'"):
        FluxTensorOptions(frames="4")
