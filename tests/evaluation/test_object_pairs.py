"""J and F of all pairs of objects: the same as one pair after the other, by the measures of masks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvseg.arrays import to_host
from cvseg.errors import DtypeError, RangeError, ShapeError
from cvseg.evaluation import boundary_accuracy, pair_scores, region_similarity
from cvseg.kernels.evaluation.object_outlines import object_outlines
from cvseg.kernels.evaluation.outline_matches import OBJECTS, outline_matches


def patches(rng, size_hw, ids):
    """A label map of blocks, some of them background."""
    blocks = rng.choice([0, *ids], (size_hw[0] // 3 + 1, size_hw[1] // 4 + 1))
    return np.kron(blocks, np.ones((3, 4), int))[: size_hw[0], : size_hw[1]].astype(np.int32)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), tolerance=st.sampled_from([0.0, 0.02, 0.1]), with_void=st.booleans())
def test_pairs_equal_the_measures_of_their_masks(seed, tolerance, with_void):
    rng = np.random.default_rng(seed)
    size_hw = tuple(rng.integers(1, 30, 2))
    result_ids, truth_ids = [3, 700, 1], [2, 1]
    result, truth = patches(rng, size_hw, [3, 700, 9]), patches(rng, size_hw, truth_ids)
    void = rng.random(size_hw) < 0.2 if with_void else None
    scores = pair_scores(result, truth, result_ids, truth_ids, void, tolerance=tolerance)
    for row, truth_id in enumerate(truth_ids):
        for column, result_id in enumerate(result_ids):
            masks = result == result_id, truth == truth_id, void
            assert scores.j[row, column] == region_similarity(*masks)
            assert scores.f[row, column] == boundary_accuracy(*masks, tolerance=tolerance)


def test_more_objects_than_bits_are_scored_in_groups():
    rng = np.random.default_rng(5)
    ids = list(range(1, 2 * OBJECTS + 4))
    result, truth = patches(rng, (60, 80), ids), patches(rng, (60, 80), ids)
    result[:30] = truth[:30]
    everyone = pair_scores(result, truth, ids, ids)
    own = pair_scores(result, truth, ids, ids, same_place_only=True)
    for k in (0, 31, 32, 33, 63, 64, 66):
        masks = result == ids[k], truth == ids[k]
        expected = region_similarity(*masks), boundary_accuracy(*masks)
        assert (everyone.j[k, k], everyone.f[k, k]) == expected
        assert (own.j[k, k], own.f[k, k]) == expected
        other = result == ids[k], truth == ids[k - 34]
        assert everyone.f[k - 34, k] == boundary_accuracy(*other)
    assert np.isnan(own.j[3, 4])
    assert np.isnan(own.f[40, 4])


def test_an_id_without_a_pixel_is_an_empty_mask():
    truth = np.zeros((9, 9), np.int32)
    truth[2:6, 2:6] = 1
    scores = pair_scores(truth, truth, [1, 8], [1, 5])
    assert scores.j.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert scores.f.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_very_large_ids_are_scored_like_small_ones():
    rng = np.random.default_rng(8)
    truth, result = patches(rng, (20, 30), [1, 2]), patches(rng, (20, 30), [1, 2, 3])
    large = np.array([0, 2**31 - 1, 5, 2**30], np.int32)
    scores = pair_scores(large[result], truth, large[1:].tolist(), [1, 2])
    expected = pair_scores(result, truth, [1, 2, 3], [1, 2])
    assert scores.j.tolist() == expected.j.tolist()
    assert scores.f.tolist() == expected.f.tolist()


def test_an_outline_pixel_belongs_to_all_objects_that_meet_there(device):
    labels = np.array([[1, 1, 2], [1, 3, 3]], np.int32)
    bits = np.array([0, 1, 2, 4], np.uint32)
    outlines = to_host(object_outlines(device.array(labels), device.array(bits)))
    assert outlines.tolist() == [[5, 7, 6], [5, 0, 0]]


def test_only_partners_are_looked_for(device):
    outlines, other = np.zeros((2, 5, 9), np.uint32)
    outlines[2, 2] = 0b11
    other[2, 5] = 0b110
    partners = np.zeros(OBJECTS, np.uint32)
    partners[0] = 0b010
    for radius, found in ((2, 0), (3, 1)):
        arrays = device.arrays(outlines, other, partners)
        lengths, near = (to_host(part) for part in outline_matches(*arrays, np.int32(radius)))
        assert lengths[:3].tolist() == [1, 1, 0]
        assert near.sum() == found
        assert near[0, 1] == found


def test_bad_arguments_are_refused():
    labels = np.zeros((4, 4), np.int32)
    with pytest.raises(RangeError, match="truth_ids is"):
        pair_scores(labels, labels, [1], [1, 1])
    with pytest.raises(RangeError, match="result_ids is"):
        pair_scores(labels, labels, [0], [1])
    with pytest.raises(DtypeError, match="int64"):
        pair_scores(labels.astype(np.int64), labels, [1], [1])
    with pytest.raises(ShapeError, match="truth"):
        pair_scores(labels, labels[:3], [1], [1])
