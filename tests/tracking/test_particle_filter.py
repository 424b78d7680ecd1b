"""The particle filter: resampling, the kernel's scores, and targets on drawn scenes with exact truth."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import to_host
from cvseg.errors import InputError, RangeError, ShapeError
from cvseg.kernels.particles.particle_scores import particle_scores
from cvseg.tracking import ParticleFilter, ParticleOptions, ParticleTracker, effective_count, systematic_resample

SIZE_HW = (160, 240)
RED, BLUE = (200, 60, 50), (40, 80, 200)


def background(seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(70, 150, (SIZE_HW[0] // 8, SIZE_HW[1] // 8, 3), np.uint8)
    return coarse.repeat(8, 0).repeat(8, 1)


def drawn(*targets, wall=None, base=None, seed=0):
    """A picture with (centre x, centre y, width, height, colour) ellipses, two-coloured, and a wall (x0, x1)."""
    image = (background() if base is None else base).copy()
    y, x = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
    for cx, cy, width, height, color in targets:
        inside = ((x + 0.5 - cx) / width * 2) ** 2 + ((y + 0.5 - cy) / height * 2) ** 2 < 1
        image[inside] = color
        image[inside & (y + 0.5 < cy)] = np.array(color) * 2 // 3
    if wall is not None:
        image[:, wall[0] : wall[1]] = 96, 110, 90
    noise = np.random.default_rng(seed).normal(0, 3, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def box_of(cx, cy, width, height, _=None):
    return np.array([cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2])


def overlap(one, two):
    sides = np.minimum(one[2:], two[2:]) - np.maximum(one[:2], two[:2])
    if (sides <= 0).any():
        return 0.0
    both = sides.prod()
    return both / ((one[2:] - one[:2]).prod() + (two[2:] - two[:2]).prod() - both)


def followed(places, seed=1, **scene):
    target = ParticleFilter(rng=np.random.default_rng(seed))
    target.start(drawn(places[0], **scene), box_of(*places[0]))
    return [target.update(drawn(place, seed=i + 1, **scene)) for i, place in enumerate(places[1:])]


def test_systematic_resampling_draws_every_particle_as_often_as_its_share_says():
    rng = np.random.default_rng(4)
    weights = rng.random(37) ** 4
    drawn_rows = systematic_resample(weights, 500, 0.3)
    counts, shares = np.bincount(drawn_rows, minlength=37), weights / weights.sum()
    assert np.all(np.abs(counts - 500 * shares) < 1)
    assert systematic_resample([0.3, 0.7, 0.0], 3, np.nextafter(1, 0)).max() == 1


@pytest.mark.parametrize("weights", [[0, 0], [1, np.nan], [1, -1], []])
def test_weights_that_mean_nothing_are_refused(weights):
    with pytest.raises((RangeError, ShapeError), match="weights"):
        effective_count(weights)


def test_a_box_that_shows_just_the_target_scores_one(device):
    image = np.zeros((20, 30, 3), np.uint8)
    image[5:15, 10:20] = 255
    points = np.float32([[-0.5, 0], [0.5, 0], [-1.5, 0], [1.5, 0]])
    bands, weights = np.int32([0, 0, 1, 1]), np.int32([3, 1, 1, 1])
    colors = np.zeros((32768, 2), np.uint8)
    colors[-1] = 1, 255
    known = np.uint8([[255, 255, 255, 1], [255, 255, 255, 1], [0, 0, 0, 0], [0, 0, 0, 0]])
    scales = np.float32([0.5, 1 / 4 / 255, 1 / 2 / 255, 1 / 320])
    boxes = np.float32([[15, 10, 5, 5], [5, 10, 5, 5], [-50, 10, 5, 5]])
    arguments = image, boxes, points, bands, weights, colors, np.float32([[0, 1]]), known, scales
    scores = to_host(particle_scores(*device.arrays(*arguments)))
    # On the target; beside it, where the ring to the right meets it; outside the picture.
    assert_allclose(scores, [[1, 1, 0, 0], [0, 0, 0.5, 1], [0, 0, 0, 1]], atol=1e-6)


def test_permuting_particles_permutes_their_scores():
    rng = np.random.default_rng(3)
    arguments = particle_scores.sample(rng, (61, 47))
    order = rng.permutation(61)
    scores = particle_scores(*arguments)
    assert_array_equal(particle_scores(arguments[0], arguments[1][order], *arguments[2:]), scores[order])


def test_a_moving_target_is_followed_on_every_device(device):
    places = [(40 + 4 * t, 60 + 2 * t, 30, 36, RED) for t in range(8)]
    results = []
    for make in (lambda image: image, device.array):
        target = ParticleFilter(ParticleOptions(particles=60), np.random.default_rng(2))
        target.start(make(drawn(places[0])), box_of(*places[0]))
        results.append([target.update(make(drawn(p, seed=i))).box_xyxy for i, p in enumerate(places[1:])])
    assert overlap(results[0][-1], box_of(*places[-1])) > 0.7
    assert_array_equal(results[0], results[1])  # the same particles wherever the picture lies


def test_weights_add_up_to_one_and_the_covariance_is_symmetric_and_positive():
    for estimate in followed([(40 + 5 * t, 80, 30, 36, RED) for t in range(10)]):
        assert_array_equal(estimate.covariance, estimate.covariance.T)
        assert np.linalg.eigvalsh(estimate.covariance).min() > 0
        assert 1 <= estimate.effective <= 300
        assert 0 <= estimate.confidence <= 1


def test_particles_keep_weights_that_add_up_to_one():
    target = ParticleFilter()
    target.start(drawn((40, 80, 30, 36, RED)), box_of(40, 80, 30, 36))
    for t in range(1, 5):
        target.update(drawn((40 + 3 * t, 80, 30, 36, RED)))
        assert target.weights.sum() == pytest.approx(1)
        assert target.weights.min() >= 0


@pytest.mark.parametrize("seed", range(6))
def test_a_target_behind_a_wall_for_two_seconds_comes_back(seed):
    # 3 pixels a frame, 114 + 30 pixels of way: 38 frames wholly hidden and 20 in part, at 25 frames a second.
    wall = (70, 184)
    places = [(24 + 3 * t, 80 + 4 * np.sin(seed + t / 7), 28, 34, RED) for t in range(66)]
    estimates = followed(places, seed, wall=wall)
    hidden = [wall[0] + 15 < place[0] < wall[1] - 15 for place in places[1:]]
    believed = [estimate.status for estimate, unseen in zip(estimates, hidden, strict=True) if unseen]
    assert sum(hidden) > 25
    assert believed.count("confirmed") < 0.1 * len(believed)
    assert estimates[-1].status == "confirmed"
    assert overlap(estimates[-1].box_xyxy, box_of(*places[-1])) > 0.5


def test_while_hidden_the_cloud_spreads():
    estimates = followed([(24 + 3 * t, 80, 28, 34, RED) for t in range(45)], wall=(70, 230))
    spread = [np.trace(e.covariance[:2, :2]) for e in estimates if e.status == "occluded"]
    assert len(spread) > 15
    assert spread[-1] > 4 * spread[0]


def test_targets_of_different_colours_cross_and_keep_their_numbers():
    tracker = ParticleTracker(seed=3)
    first = [(50 + 4 * t, 80, 28, 34, RED) for t in range(36)]
    second = [(190 - 4 * t, 84, 28, 34, BLUE) for t in range(36)]
    assert tracker.start(0, drawn(second[0], first[0]), [box_of(*first[0]), box_of(*second[0])]) == [1, 2]
    for t in range(1, 36):
        tracks = tracker.update(t, drawn(second[t], first[t], seed=t))
    assert tracks.ids.tolist() == [1, 2]
    assert overlap(tracks.boxes_xyxy[0], box_of(*first[-1])) > 0.5
    assert overlap(tracks.boxes_xyxy[1], box_of(*second[-1])) > 0.5


def test_a_growing_target_is_measured_larger():
    places = [(120, 80, 24 * 1.03**t, 30 * 1.03**t, RED) for t in range(30)]
    last = followed(places)[-1]
    width = last.box_xyxy[2] - last.box_xyxy[0]
    assert width == pytest.approx(places[-1][2], rel=0.25)
    assert overlap(last.box_xyxy, box_of(*places[-1])) > 0.6


def test_a_shaking_hand_does_not_lose_the_target():
    rng = np.random.default_rng(6)
    places = [(60 + 2 * t + rng.normal(0, 3), 80 + rng.normal(0, 3), 28, 34, RED) for t in range(40)]
    assert np.mean([overlap(e.box_xyxy, box_of(*p)) for e, p in zip(followed(places), places[1:], strict=True)]) > 0.6


def test_a_plain_target_over_a_plain_wall_is_followed():
    plain = np.full((*SIZE_HW, 3), 120, np.uint8)
    places = [(60 + 3 * t, 80, 30, 30, RED) for t in range(30)]
    assert overlap(followed(places, base=plain)[-1].box_xyxy, box_of(*places[-1])) > 0.6


def test_a_proposal_far_away_is_tried():
    jump = [(40, 80, 28, 34, RED), (200, 60, 28, 34, RED)]
    target = ParticleFilter(rng=np.random.default_rng(0))
    target.start(drawn(jump[0]), box_of(*jump[0]))
    estimate = target.update(drawn(jump[1]), proposals_xyxy=[box_of(*jump[1])])
    assert overlap(estimate.box_xyxy, box_of(*jump[1])) > 0.5
    evidence = np.zeros(SIZE_HW)
    evidence[75:85, 35:45] = 1
    back = target.update(drawn(jump[0]), evidence=evidence)
    assert overlap(back.box_xyxy, box_of(*jump[0])) > 0.5


@pytest.mark.parametrize("way", ["pickle", "state_dict"])
def test_a_saved_filter_goes_on_with_the_same_bits(way):
    places = [(40 + 4 * t, 80, 28, 34, RED) for t in range(12)]
    target = ParticleFilter(rng=np.random.default_rng(5))
    target.start(drawn(places[0]), box_of(*places[0]))
    for place in places[1:6]:
        target.update(drawn(place))
    if way == "pickle":
        other = pickle.loads(pickle.dumps(target))
    else:
        other = ParticleFilter()
        other.load_state_dict(target.state_dict())
    for place in places[6:]:
        one, two = target.update(drawn(place)), other.update(drawn(place))
        assert_array_equal(one.box_xyxy, two.box_xyxy)
        assert_array_equal(one.covariance, two.covariance)


def test_wrong_use_is_explained():
    target, image = ParticleFilter(), drawn((40, 80, 28, 34, RED))
    with pytest.raises(InputError, match=r"start\(\)"):
        target.update(image)
    with pytest.raises(RangeError, match="outside the picture"):
        target.start(image, (300, 10, 320, 30))
    with pytest.raises(RangeError, match="x0 < x1"):
        target.start(image, (30, 10, 30, 40))
    target.start(image, (30, 60, 50, 100))
    with pytest.raises(ShapeError, match="as at the start"):
        target.update(image[:100].copy())
    with pytest.raises(InputError, match="in order"):
        target.update(image, frame_index=0)
