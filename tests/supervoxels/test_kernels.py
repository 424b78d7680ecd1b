"""Kernels of the graph of superpixels, against loops that say the same slowly."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.supervoxels.merge_levels import merge_levels
from cvseg.kernels.supervoxels.node_borders import node_borders
from cvseg.kernels.supervoxels.node_colors import BINS, node_colors
from cvseg.kernels.supervoxels.node_links import node_links
from cvseg.kernels.supervoxels.node_motion import SIDE, node_motion

NODES = 12


def patches(seed=0, size_hw=(13, 19), frames=1):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, NODES, (frames, size_hw[0] // 3 + 1, size_hw[1] // 4 + 1), dtype=np.int32)
    labels = np.ascontiguousarray(coarse.repeat(3, 1).repeat(4, 2)[:, : size_hw[0], : size_hw[1]])
    levels = rng.integers(-1000, 1000, (*size_hw, 4)).astype(np.int16)
    levels[..., 0] = rng.integers(0, 1601, size_hw)
    return labels, levels, rng.normal(0, 3, (*size_hw, 2)).astype(np.float32)


def test_a_pixel_counts_in_the_two_bins_around_its_colour(device):
    labels = np.zeros((1, 2), np.int32)
    # L* 52.5 is the middle of bin 10; a* -76 the middle of the first bin; b* 0 lies between bins 9 and 10.
    levels = np.array([[[840, -1216, 0, 0], [880, -2000, 2000, 0]]], np.int16)
    counts, sums = (to_host(array) for array in node_colors(*device.arrays(labels, levels), np.int32(1)))
    expected = np.zeros(3 * BINS, np.int64)
    expected[10] += 16
    expected[BINS] += 16
    expected[2 * BINS + 9 : 2 * BINS + 11] += 8
    expected[10:12] += 8  # L* 55
    expected[BINS] += 16  # beyond the first bin
    expected[3 * BINS - 1] += 16  # beyond the last
    assert_array_equal(counts[0], expected)
    assert_array_equal(sums[0], [1720, -3216, 2000, 2])


def test_colors_are_summed_by_superpixel():
    labels, levels, _ = patches()
    counts, sums = node_colors(labels[0], levels, np.int32(NODES))
    for label in range(NODES):
        own = levels[labels[0] == label].astype(np.int64)
        assert_array_equal(sums[label], [*own[:, :3].sum(axis=0), len(own)])
        assert counts[label].sum() == 48 * len(own)


def test_motion_is_counted_around_its_place_relative_to_the_camera(device):
    labels = np.array([[0, 0, 1, 1, 2, 2]], np.int32)
    flow_xy = np.zeros((1, 6, 2), np.float32)
    flow_xy[0, 0] = (3, -2)  # as the camera
    flow_xy[0, 2] = (7, -2)  # four pixels to the right of it: half way to the edge
    flow_xy[0, 4] = (np.nan, 0)
    reference = np.array([3, -2], np.float32)
    counts = to_host(node_motion(*device.arrays(labels, flow_xy, reference), np.int32(3))).reshape(3, SIDE, SIDE)
    assert counts[0, 3, 3] == 256 == counts[0].sum()
    assert counts[1, 3, 4] == 128 == counts[1, 3, 5]
    assert counts[1].sum() == 256
    assert counts[2].sum() == 0


def test_speeds_of_any_size_fall_into_a_bin():
    labels = np.zeros((4, 4), np.int32)
    flow_xy = np.full((4, 4, 2), 1e5, np.float32)
    flow_xy[::2, ::2] = [[[1e6, 0], [-1e6, -1e6]], [[0, 1e6], [2e6, 0]]]
    counts = node_motion(labels, flow_xy, np.zeros(2, np.float32), np.int32(1))
    assert counts.sum() == 3 * 256
    assert counts.min() == 0


def test_borders_are_the_sides_between_labels():
    labels, levels, _ = patches()
    labels = labels[0]
    height, width = labels.shape
    sides, contrasts = {}, {}
    for y in range(height):
        for x in range(width):
            for dy, dx in ((0, 1), (1, 0)):
                if y + dy < height and x + dx < width and labels[y, x] != labels[y + dy, x + dx]:
                    pair = tuple(sorted((int(labels[y, x]), int(labels[y + dy, x + dx]))))
                    one = levels[max(y - dy, 0), max(x - dx, 0), :3].astype(float)
                    other = levels[min(y + 2 * dy, height - 1), min(x + 2 * dx, width - 1), :3].astype(float)
                    sides[pair] = sides.get(pair, 0) + 1
                    contrasts[pair] = contrasts.get(pair, 0) + int(np.sqrt(((one - other) ** 2).sum()) + 0.5)
    pairs, sums = node_borders(labels, levels, np.int32(NODES))
    found = [divmod(int(pair), NODES) for pair in pairs]
    assert found == sorted(sides)
    assert sums[:, 0].tolist() == [sides[pair] for pair in found]
    assert_allclose(sums[:, 1], [contrasts[pair] for pair in found], atol=len(pairs))


def test_links_count_where_pixels_go():
    (before, now), _, flow_xy = patches(frames=2)
    flow_xy[4, 6], flow_xy[6, 8] = np.nan, 1e30
    height, width = before.shape
    expected = {}
    for y in range(0, height, 2):
        for x in range(0, width, 2):
            target = np.floor(np.array([x, y]) + flow_xy[y, x] + 0.5)
            if np.isfinite(target).all() and (target >= 0).all() and target[0] < width and target[1] < height:
                pair = int(before[y, x]), int(now[int(target[1]), int(target[0])])
                expected[pair] = expected.get(pair, 0) + 1
    pairs, sums = node_links(before, now, flow_xy, np.int32(NODES))
    assert {divmod(int(pair), NODES): int(n) for pair, n in zip(pairs, sums[:, 0], strict=True)} == expected


@pytest.mark.parametrize("count", [1, 900])
def test_tables_grow_where_there_are_more_pairs_than_expected(device, count):
    rng = np.random.default_rng(1)
    labels = rng.permutation(np.arange(60 * 60, dtype=np.int32) % count).reshape(60, 60)
    # The number tells the size of the first table: too small by far for a picture of single pixels.
    pairs, sums = node_borders(*device.arrays(labels, np.zeros((60, 60, 4), np.int16)), np.int32(max(1, count)))
    pairs, sums = to_host(pairs), to_host(sums)
    differs = (labels[:, 1:] != labels[:, :-1]).sum() + (labels[1:] != labels[:-1]).sum()
    assert sums[:, 0].sum() == differs
    assert_array_equal(pairs, np.unique(pairs))


# ---- merging, against the same rule written with dictionaries


def graph(seed, nodes=14):
    rng = np.random.default_rng(seed)
    ends = np.array([(i, j) for i in range(nodes) for j in range(i + 1, nodes) if rng.random() < 0.35], np.int32)
    borders = np.stack(
        [rng.integers(0, 9, len(ends)), rng.integers(0, 90, len(ends)), rng.choice([0, 0.4], len(ends))], axis=1
    ).astype(np.float64)
    areas = rng.uniform(0.2, 3, nodes)
    means = rng.uniform(0, 15, (nodes, 3)) * areas[:, None]
    colors, motions = (rng.integers(0, 5, (nodes, bins)).astype(np.float32) for bins in (60, 49))
    motions[rng.random(nodes) < 0.3] = 0
    return ends, borders, areas, means, colors, motions


WEIGHTS = np.array([0.8, 0.5, 0.2, 0.3, 20.0])


def slow_cost(one, two, border):
    def chi_square(a, b):
        if a.sum() == 0 or b.sum() == 0:
            return 0.0
        a, b = a / a.sum(), b / b.sum()
        held = a + b > 0
        return 0.5 * float(((a - b)[held] ** 2 / (a + b)[held]).sum())

    power, motion, contrast, link, full = WEIGHTS
    distance = np.linalg.norm(one["means"] / one["areas"] - two["means"] / two["areas"])
    d = 0.5 * min(1, distance / full) + 0.5 * chi_square(one["colors"], two["colors"])
    if border[0] > 0:
        d = (1 - contrast) * d + contrast * min(1, border[1] / border[0] / full)
    d = 1 - (1 - d) * (1 - motion * chi_square(one["motions"], two["motions"]))
    d *= 1 - link * border[2]
    return d * (1 / (1 / one["areas"] + 1 / two["areas"])) ** (0.5 * power)


def slow_merge(ends, borders, areas, means, colors, motions, standing, limits):
    """Sets of nodes; an edge of two sets is looked at again when its remembered cost is the least of all."""
    nodes = len(areas)
    values = {"areas": areas, "means": means, "colors": colors.astype(float), "motions": motions.astype(float)}
    groups = {i: {i} for i in range(nodes)}
    data = {i: {name: np.array(value[i]) for name, value in values.items()} for i in range(nodes)}
    edges = {k: [tuple(ends[k]), borders[k].copy()] for k in range(len(ends))}
    costs = {k: slow_cost(data[a], data[b], border) for k, ((a, b), border) in edges.items()}
    fresh = dict.fromkeys(edges, True)

    def join(a, b):
        a, b = min(a, b), max(a, b)
        groups[a] |= groups.pop(b)
        for name in data[a]:
            data[a][name] = data[a][name] + data[b][name]
        kept = {}
        order = []
        for number in (a, b):  # edges of a, then those of b, each in the order they were kept
            order += [k for k in lists[number] if k in edges]
        for k in order:
            if k not in edges:
                continue
            one, two = (a if end == b else end for end in edges[k][0])
            if one == two:
                del edges[k]
                continue
            other = two if one == a else one
            if other in kept and kept[other] != k:
                target = edges[kept[other]][1]
                target[:2] += edges[k][1][:2]
                target[2] = max(target[2], edges[k][1][2])
                del edges[k]
                continue
            kept[other] = k
            edges[k][0] = (one, two)
            fresh[k] = False
        lists[a] = [k for k in order if k in edges and k in kept.values()]
        lists[a] = list(dict.fromkeys(lists[a]))

    lists = {i: [k for k in range(len(ends)) if i in ends[k]] for i in range(nodes)}
    result = []
    for own, limit in zip(standing, limits, strict=True):
        for region in range(nodes):
            members = np.flatnonzero(own == region)
            for member in members[1:]:
                a, b = (next(g for g, held in groups.items() if node in held) for node in (members[0], member))
                if a != b:
                    join(a, b)
        refused = set()
        while True:
            open_edges = [k for k in edges if k not in refused]
            if not open_edges:
                break
            k = min(open_edges, key=lambda k: (costs[k], k))
            if costs[k] > limit:
                break
            a, b = edges[k][0]
            if not fresh[k]:
                fresh[k] = True
                costs[k] = slow_cost(data[a], data[b], edges[k][1])
                continue
            if all(any(own[node] >= 0 for node in groups[end]) for end in (a, b)):
                refused.add(k)
                continue
            join(a, b)
        roots = np.empty(nodes, int)
        for held in groups.values():
            roots[list(held)] = min(held)
        result.append(roots)
    return np.stack(result)


LIMITS = np.array([0.1, 0.25, 0.3, 0.4, 0.6])


@pytest.mark.parametrize("seed", range(8))
def test_merging_takes_the_most_alike_first_as_written_slowly(seed):
    given = graph(seed)
    standing = np.full((len(LIMITS), 14), -1, np.int32)
    if seed % 2:
        standing[:, :6] = [0, 1, 2, 0, 3, 1]
        standing[2:, :6] = [0, 1, 0, 0, 2, 1]
    expected = slow_merge(*given, standing, LIMITS)
    found = merge_levels(*(array.copy() for array in given), standing, LIMITS, WEIGHTS)
    assert_array_equal(found, expected)
    assert len(np.unique(found[0])) > len(np.unique(found[-1]))


@pytest.mark.parametrize("seed", range(4))
def test_levels_are_nested_and_old_regions_are_never_joined_or_divided(seed):
    given = graph(seed + 20)
    standing = np.full((len(LIMITS), 14), -1, np.int32)
    standing[:, 2:9] = [0, 0, 1, 2, 1, 3, 3]
    standing[3:, 2:9] = [0, 0, 1, 0, 1, 2, 2]
    found = merge_levels(*given, standing, LIMITS + 10, WEIGHTS)
    for fine, coarse in itertools.pairwise(found):
        for root in np.unique(fine):
            assert len(np.unique(coarse[fine == root])) == 1
    for own, roots in zip(standing, found, strict=True):
        old = own >= 0
        assert len(set(zip(own[old], roots[old], strict=True))) == len(set(own[old])) == len(set(roots[old]))
        assert len(np.unique(roots)) == len(set(own[old])), "limits this high leave nothing alone"


def test_a_graph_without_edges_stays_apart():
    given = graph(0)
    none = np.zeros((0, 2), np.int32), np.zeros((0, 3))
    found = merge_levels(*none, *given[2:], np.full((5, 14), -1, np.int32), LIMITS, WEIGHTS)
    assert_array_equal(found, np.tile(np.arange(14), (5, 1)))
