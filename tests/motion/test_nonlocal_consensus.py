"""The votes over time: every frame comes out in order, edges lead where they should, and votes follow the object."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import array_module, to_host
from cvseg.evaluation import region_similarity
from cvseg.motion import CausalConsensus, ConsensusOptions, NonlocalConsensus
from cvseg.motion.motion_seeds import MotionSeeds

SIZE_HW = (48, 64)
SMALL = ConsensusOptions(cell=8, reach=3, step=1, hop=2, rounds=12)
OBJECT_LAB = (55.0, 60.0, 40.0)


def scene(frames, moving, *, seed=0, lookalike=False):
    """(lab, seeds, object mask) a frame: a red square on a grey-green texture, that moves where `moving` says so."""
    rng = np.random.default_rng(seed)
    ground = rng.normal((50, -15, 5), (12, 6, 6), (*SIZE_HW, 3)).astype(np.float32)
    at = 4
    for frame in range(frames):
        lab, mask = ground.copy(), np.zeros(SIZE_HW, bool)
        if lookalike:
            lab[8:24, 44:60] = OBJECT_LAB
        mask[24:40, at : at + 16] = True
        lab[mask] = OBJECT_LAB
        seeds = np.clip(rng.rayleigh(0.07, SIZE_HW), 0, 1).astype(np.float32)
        if moving(frame):
            seeds[mask] = 1
            at += 2
        yield lab, seeds, mask


def push(consensus, lab, seeds, payload):
    """As if what the seeds show moved by ten times the noise, and the flow were not known."""
    residual = seeds * np.float32(10)
    still = array_module(lab).zeros((*lab.shape[:2], 2), np.float32)
    return consensus.push(lab, MotionSeeds(seeds, residual, {}), still, still, payload)


def run(consensus, shown, device=None):
    decided = []
    for number, (lab, seeds, mask) in enumerate(shown):
        if device is not None:
            lab, seeds = device.arrays(lab, seeds)
        decided += push(consensus, lab, seeds, (number, mask))
    return decided + consensus.finish()


def cells_of(mask, share, cell=8):
    """Cells of which at least (or, for 0, at most) `share` lies in `mask`."""
    rows, columns = mask.shape[0] // cell, mask.shape[1] // cell
    covered = mask.reshape(rows, cell, columns, cell).mean((1, 3))
    return covered <= 0 if share == 0 else covered >= share


@pytest.mark.parametrize("frames", [0, 1, 4, 5, 6, 8, 9, 23])
def test_all_frames_come_out_in_order_and_not_too_late(frames):
    consensus = NonlocalConsensus(SMALL)
    seen = []
    for number, (lab, seeds, _) in enumerate(scene(frames, lambda frame: True)):
        seen += [votes.payload for votes in push(consensus, lab, seeds, number)]
        assert number + 1 - len(seen) < SMALL.reach + SMALL.hop
        assert len(consensus._payloads) == number + 1 - len(seen), "a decided frame is kept"
        assert len(consensus.ring.arrays["seeds"]) == consensus.ring.capacity
    seen += [votes.payload for votes in consensus.finish()]
    assert seen == list(range(frames))
    assert consensus.finish() == []


@pytest.mark.parametrize(("reach", "step", "hop"), [(3, 1, 2), (4, 3, 1), (2, 2, 5), (2, 7, 1)])
def test_edges_lead_to_the_nearest_cells_of_living_frames_and_nowhere_else(reach, step, hop):
    consensus = NonlocalConsensus(ConsensusOptions(cell=16, reach=reach, step=step, hop=hop, rounds=1))
    capacity, cells = 2 * reach + hop, 12
    descriptors = {}
    for new, (lab, seeds, _) in enumerate(scene(3 * capacity, lambda frame: True)):
        push(consensus, lab, seeds, None)
        ring = consensus.ring.arrays
        descriptors[new] = ring["descriptors"][new % capacity].copy()
        living = range(max(0, new - capacity + 1), new + 1)
        for source in living:
            for slot, offset in enumerate(consensus.ring.offsets):
                distances = ring["distances"][source % capacity, slot]
                if source + offset not in living:
                    assert np.isinf(distances).all(), (new, source, offset)
                    continue
                table = descriptors[source][:, :, None] - descriptors[source + offset][:, None, :]
                table = (table.astype(np.float64) ** 2).sum(0)
                if offset == 0:
                    np.fill_diagonal(table, np.inf)
                found = ring["edges"][source % capacity, slot] - (source + offset) % capacity * cells
                assert found.min() >= 0 and found.max() < cells
                assert_allclose(distances, np.sort(table, axis=1)[:, :2], rtol=1e-4, atol=1e-6)
                assert_allclose(np.take_along_axis(table, found, axis=1), distances, rtol=1e-4, atol=1e-6)


def test_the_object_is_above_the_threshold_and_the_background_below():
    for votes in run(NonlocalConsensus(SMALL), scene(14, lambda frame: True)):
        mask = votes.payload[1]
        assert votes.votes[cells_of(mask, 1)].min() > 0.5
        assert votes.votes[cells_of(mask, 0)].max() < 0.5
        assert votes.contrast > 0.4
        assert votes.votes.min() >= 0 and votes.votes.max() <= 1


def test_an_object_that_stands_for_some_frames_keeps_its_votes():
    standing = range(9, 12)
    wide = ConsensusOptions(cell=8, reach=9, step=2, hop=5)
    for votes in run(NonlocalConsensus(wide), scene(21, lambda frame: frame not in standing)):
        mask = votes.payload[1]
        assert votes.votes[cells_of(mask, 1)].min() > 0.5, votes.payload[0]
        assert votes.votes[cells_of(mask, 0)].max() < 0.5, votes.payload[0]


def test_where_nothing_moves_no_cell_is_above_the_threshold():
    decided = run(NonlocalConsensus(SMALL), scene(12, lambda frame: False))
    assert len(decided) == 12
    for votes in decided:
        assert votes.votes.max() < 0.5
        assert votes.contrast < 0.2


def test_a_region_that_looks_the_same_and_stands_elsewhere_gets_less_than_the_object():
    for votes in run(NonlocalConsensus(SMALL), scene(14, lambda frame: True, lookalike=True)):
        twin = np.zeros((6, 8), bool)
        twin[1:3, 6:7] = True
        own = votes.votes[cells_of(votes.payload[1], 1)]
        assert votes.votes[twin].max() < 0.75 * own.min(), votes.payload[0]


def test_frames_far_apart_do_not_influence_each_other():
    # The first six frames differ; from `2 reach + hop` frames later on the votes must be the same bits.
    first, second = [list(scene(20, lambda frame: True, seed=seed)) for seed in (0, 0)]
    for number in range(6):
        lab, seeds, mask = second[number]
        second[number] = lab[:, ::-1].copy(), seeds * 0, mask
    one, other = run(NonlocalConsensus(SMALL), first), run(NonlocalConsensus(SMALL), second)
    far = 6 + 2 * SMALL.reach + SMALL.hop
    assert any(not np.array_equal(a.votes, b.votes) for a, b in zip(one[:6], other[:6], strict=True))
    for a, b in zip(one[far:], other[far:], strict=True):
        assert_array_equal(a.votes, b.votes)


def test_both_devices_agree(device):
    shown = list(scene(9, lambda frame: frame != 4))
    expected = run(NonlocalConsensus(SMALL), shown)
    found = run(NonlocalConsensus(SMALL), shown, device)
    for votes, wanted in zip(found, expected, strict=True):
        # expf differs in the last digits; a dozen rounds carry that on.
        assert_allclose(to_host(votes.votes), wanted.votes, atol=1e-4)
        assert votes.contrast == pytest.approx(wanted.contrast, abs=1e-4)


def test_reset_gives_the_same_votes_again_also_for_another_size():
    consensus = NonlocalConsensus(SMALL)
    shown = list(scene(7, lambda frame: True))
    first = run(consensus, shown)
    consensus.reset()
    half = [(lab[:20, :24].copy(), seeds[:20, :24].copy(), mask) for lab, seeds, mask in shown]
    assert [votes.votes.shape for votes in run(consensus, half)] == [(3, 3)] * 7
    consensus.reset()
    for one, other in zip(first, run(consensus, shown), strict=True):
        assert_array_equal(one.votes, other.votes)


def test_a_frame_of_a_single_cell_gets_a_vote():
    lab = np.full((3, 5, 3), 40, np.float32)
    consensus = NonlocalConsensus(SMALL)
    shown = [(lab, np.ones((3, 5), np.float32), None)] * 4
    for votes in run(consensus, shown):
        assert votes.votes.shape == (1, 1)
        assert np.isfinite(votes.votes).all()


def test_an_object_that_rests_for_longer_than_the_window_reaches_keeps_its_votes_while_it_is_remembered():
    long_rest = ConsensusOptions(cell=8, reach=4, step=2, hop=4, memory_frames=200)
    kept = run(NonlocalConsensus(long_rest), scene(40, lambda frame: frame < 14))
    for votes in kept:
        mask = votes.payload[1]
        assert votes.votes[cells_of(mask, 1)].min() > 0.5, votes.payload[0]
        assert votes.votes[cells_of(mask, 0)].max() < 0.5, votes.payload[0]
    forgotten = run(NonlocalConsensus(replace(long_rest, memory_frames=1)), scene(40, lambda frame: frame < 14))
    assert max(votes.votes.max() for votes in forgotten[30:]) < 0.5


def test_an_object_of_less_than_a_percent_does_not_take_its_fringe_along():
    consensus = NonlocalConsensus(ConsensusOptions(cell=8, reach=2, hop=3, rounds=20))
    rng = np.random.default_rng(3)
    lab = rng.normal((50, -15, 5), (3, 2, 2), (240, 400, 3)).astype(np.float32)
    seeds = np.zeros((240, 400), np.float32)
    seeds[64:104, 64:104] = 0.35  # seems to move a little, for it is so near
    seeds[72:96, 72:96] = 1
    lab[64:104, 64:104] += np.float32([0, 10, 10])
    lab[72:96, 72:96] = OBJECT_LAB
    decided = []
    for number in range(8):
        decided += push(consensus, lab, seeds, number)
    expected = np.zeros((30, 50), np.bool_)
    expected[9:12, 9:12] = True
    for votes in decided + consensus.finish():
        assert_array_equal(votes.votes > 0.5, expected)


# With past frames only

CAUSAL = ConsensusOptions(cell=8, reach=5, step=1, hop=2, rounds=3)


def run_causal(shown, options=CAUSAL, device=None):
    """Votes and object cells, frame by frame."""
    consensus = CausalConsensus(options)
    for number, (lab, seeds, mask) in enumerate(shown):
        if device is not None:
            lab, seeds = device.arrays(lab, seeds)
        (votes,) = push(consensus, lab, seeds, number)
        assert votes.payload == number
        yield votes, mask
    assert consensus.finish() == []


def similarity(votes, mask):
    return region_similarity((to_host(votes.votes) > 0.5).reshape(-1)[to_host(votes.cells)], mask)


def test_what_moves_is_found_with_past_frames_only():
    assert np.mean([similarity(*pair) for pair in run_causal(scene(14, lambda frame: True))]) > 0.8


def test_what_follows_changes_nothing():
    whole = [votes for votes, _ in run_causal(scene(14, lambda frame: True))]
    for one, other in zip(run_causal(scene(9, lambda frame: True)), whole, strict=False):
        assert_array_equal(one[0].votes, other.votes)


@pytest.mark.parametrize("hop", [1, 2, 4])
def test_an_object_that_stops_is_not_forgotten_at_once(hop):
    options = ConsensusOptions(cell=8, reach=12, step=1, hop=hop, rounds=3)
    for number, (votes, mask) in enumerate(run_causal(scene(15, lambda frame: frame < 9), options)):
        if number in (10, 12, 14):
            assert similarity(votes, mask) > 0.7, number


def test_where_nothing_moves_there_is_nothing_with_past_frames_only():
    for votes, _ in run_causal(scene(12, lambda frame: False)):
        assert not (to_host(votes.votes) > 0.5).any()


def test_memory_of_past_frames_is_that_of_the_window():
    consensus = CausalConsensus(CAUSAL)
    for number, (lab, seeds, _) in enumerate(scene(30, lambda frame: True)):
        push(consensus, lab, seeds, number)
        assert len(consensus.ring.arrays["seeds"]) == len(consensus._votes) == 11
        assert len(consensus.motion.window().areas) <= 11


def test_a_reset_forgets_all_past_votes():
    consensus = CausalConsensus(CAUSAL)
    for lab, seeds, _ in scene(7, lambda frame: True, seed=5):
        push(consensus, lab, seeds, None)
    consensus.reset()
    expected = [votes for votes, _ in run_causal(scene(6, lambda frame: True))]
    for (lab, seeds, _), other in zip(scene(6, lambda frame: True), expected, strict=True):
        (votes,) = push(consensus, lab, seeds, None)
        assert_array_equal(votes.votes, other.votes)


def test_both_devices_decide_alike_with_past_frames_only(device):
    host = run_causal(scene(9, lambda frame: True))
    for (one, _), (other, _) in zip(host, run_causal(scene(9, lambda frame: True), device=device), strict=True):
        assert_allclose(to_host(other.votes), one.votes, atol=1e-3)
        assert other.contrast == pytest.approx(one.contrast, abs=1e-4)
