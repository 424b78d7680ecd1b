"""The region adjacency graph against a slow twin and scikit-image; merging on it against sets."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from skimage.graph import rag_boundary

from cvseg.errors import DtypeError, InputError, RangeError, ShapeError
from cvseg.graph.spanning_forest_2009 import boundary_strength
from cvseg.regions import RegionHierarchy, RegionMergingOptions, adjacency, merge_regions

RNG = np.random.default_rng(3)
LABELS = RNG.integers(0, 9, (6, 7)).repeat(4, 0).repeat(5, 1).astype(np.int32)
IMAGE = RNG.integers(0, 256, (*LABELS.shape, 3), dtype=np.uint8)


def borders(labels, strength):
    """(i, j) to the strengths of all pairs of pixels between them: of each the mean and the stronger."""
    found = {}
    height, width = labels.shape
    for y in range(height):
        for x in range(width):
            for v, u in ((y, x + 1), (y + 1, x)):
                if v < height and u < width and labels[y, x] != labels[v, u] and min(labels[y, x], labels[v, u]) >= 0:
                    key = tuple(sorted((int(labels[y, x]), int(labels[v, u]))))
                    one, two = float(strength[y, x]), float(strength[v, u])
                    found.setdefault(key, []).append(((one + two) / 2, max(one, two)))
    return found


@pytest.mark.parametrize("own", ["image", "boundary", "neither"])
def test_borders_are_those_of_a_slow_twin(device, own):
    boundary = np.random.default_rng(4).integers(0, 2048, LABELS.shape) / np.float32(2047)
    boundary = boundary.astype(np.float32)
    labels = LABELS.copy()
    labels[:5, :6] = -1
    if own == "image":
        graph = adjacency(*device.arrays(labels, IMAGE))
        expected = borders(labels, boundary_strength(IMAGE) / 8)
    elif own == "boundary":
        graph = adjacency(device.array(labels), boundary=device.array(boundary))
        expected = borders(labels, boundary)
    else:
        graph = adjacency(device.array(labels))
        expected = borders(labels, np.zeros(labels.shape))
    assert len(graph) == len(expected) > 15
    assert graph.pairs.tolist() == sorted(list(key) for key in expected)
    assert graph.pairs.dtype == np.int32
    for k, (i, j) in enumerate(graph.pairs.tolist()):
        values = np.array(expected[i, j])
        assert graph.length[k] == len(values)
        assert_allclose(graph.mean_strength[k], values[:, 0].mean(), rtol=1e-6, atol=1e-9)
        assert_allclose([graph.lowest[k], graph.highest[k]], [values[:, 1].min(), values[:, 1].max()], rtol=1e-6)


def test_the_pairs_and_means_are_those_of_scikit_image_where_the_map_is_flat_along_a_border():
    graph = adjacency(LABELS, boundary=np.full(LABELS.shape, 0.5, np.float32))
    peer = rag_boundary(LABELS, np.full(LABELS.shape, 0.5), connectivity=1)
    assert [tuple(pair) for pair in graph.pairs.tolist()] == sorted(tuple(sorted(edge)) for edge in peer.edges())
    assert_allclose(graph.mean_strength, 0.5, atol=1e-3)
    for (i, j), length in zip(graph.pairs.tolist(), graph.length, strict=True):
        assert peer[i][j]["weight"] == pytest.approx(0.5)
        # scikit-image counts pixels on the border, both sides; a corner once instead of twice.
        assert length <= peer[i][j]["count"] <= 2 * length


def test_large_numbers_and_other_types_of_labels():
    labels = np.array([[2**31 - 1, 5], [2**31 - 1, 2**31 - 2]], np.uint32)
    assert adjacency(labels).pairs.tolist() == [[5, 2**31 - 2], [5, 2**31 - 1], [2**31 - 2, 2**31 - 1]]
    assert len(adjacency(np.zeros((3, 3), np.int32))) == 0
    assert len(adjacency(np.zeros((0, 3), np.int32))) == 0
    assert adjacency(np.arange(4)[None]).pairs.tolist() == [[0, 1], [1, 2], [2, 3]]


def test_graphs_that_cannot_be_are_refused():
    with pytest.raises(RangeError, match="below 2\\^31"):
        adjacency(np.array([[0, 2**31]]))
    with pytest.raises(DtypeError, match="whole numbers"):
        adjacency(np.zeros((2, 2)))
    with pytest.raises(ShapeError, match="labels"):
        adjacency(np.zeros(4, np.int32))
    with pytest.raises(ShapeError, match="image"):
        adjacency(LABELS, IMAGE[1:])
    with pytest.raises(InputError, match="both image and boundary"):
        adjacency(LABELS, IMAGE, boundary=np.zeros(LABELS.shape, np.float32))
    with pytest.raises(RangeError, match="NaN"):
        adjacency(LABELS, boundary=np.full(LABELS.shape, np.nan, np.float32))
    with pytest.raises(RangeError, match="0 to 1"):
        adjacency(LABELS, boundary=np.full(LABELS.shape, 7, np.float32))
    with pytest.raises(DtypeError, match="float32"):
        adjacency(LABELS, boundary=np.zeros(LABELS.shape))


def merged_by_sets(base, image, options):
    """The same merging by brute force: every border and every colour from scratch before each merge."""
    from cvseg.superpixels.block_moves_2015 import lab_pictures

    levels = lab_pictures(image, 0)[0][..., :3] / 16.0
    strength = boundary_strength(image) / 8.0
    labels = base.copy()
    merges, costs = [], []
    while True:
        found = borders(labels, strength)
        if not found:
            return merges, costs
        best = None
        for (i, j), values in sorted(found.items()):
            one, two = labels == i, labels == j
            size = one.sum() * two.sum() / (one.sum() + two.sum())
            color = np.linalg.norm(levels[one].mean(axis=0) - levels[two].mean(axis=0))
            edge = np.mean([mean for mean, _ in values])
            cost = (options.edge * edge + options.color * color) * size**options.size
            if best is None or cost < best[0] - 1e-9:
                best = cost, i, j
        merges.append([best[1], best[2]])
        costs.append(best[0])
        labels[labels == best[2]] = best[1]


def test_merging_is_that_of_brute_force():
    options = RegionMergingOptions(histogram=0.0)
    base = np.arange(12, dtype=np.int32).reshape(3, 4).repeat(4, 0).repeat(4, 1)
    image = np.random.default_rng(5).integers(0, 256, (*base.shape, 3), dtype=np.uint8)
    hierarchy = merge_regions(image, base, options=options)
    merges, costs = merged_by_sets(base, image, options)
    assert hierarchy.merges.tolist() == merges
    assert_allclose(hierarchy.costs, np.maximum.accumulate(costs), rtol=1e-9)


def test_levels_are_nested_numbered_and_have_the_wished_count(device):
    image = device.array(IMAGE)
    hierarchy = merge_regions(image, options=RegionMergingOptions(superpixels=30))
    before = None
    for count in (1, 2, 5, 11, hierarchy.most):
        labels = hierarchy.labels(count)
        labels = labels if device.name == "cpu" else labels.get()
        assert_array_equal(np.unique(labels), np.arange(count))
        if before is not None:
            assert len(np.unique(labels * 1000 + before)) == count  # a finer level only divides
        before = labels
    assert int(hierarchy.labels(10**6).max()) + 1 == hierarchy.most
    assert (np.diff(hierarchy.costs) >= 0).all()


def test_a_threshold_takes_what_costs_no_more():
    hierarchy = merge_regions(IMAGE, options=RegionMergingOptions(superpixels=30))
    assert int(hierarchy.labels(threshold=0.0).max()) + 1 == hierarchy.most
    middle = float(hierarchy.costs[10])
    taken = int((hierarchy.costs <= middle).sum())
    assert int(hierarchy.labels(threshold=middle).max()) + 1 == hierarchy.most - taken
    assert (hierarchy.labels(threshold=1e9) == 0).all()


def test_parts_that_do_not_touch_are_not_merged():
    base = np.array([[0, 0, 1, 1], [1, 1, 0, 0]], np.int32)
    hierarchy = RegionHierarchy(base, np.zeros((0, 2), np.int32), np.zeros(0))
    assert_array_equal(hierarchy.labels(1), base)


def test_every_weight_of_the_cost_changes_the_result():
    def last_levels(**options):
        hierarchy = merge_regions(image, options=RegionMergingOptions(superpixels=60, **options))
        return hierarchy.labels(8)

    rng = np.random.default_rng(0)
    image = (rng.integers(0, 200, (8, 10, 3)).repeat(6, 0).repeat(6, 1) + rng.integers(0, 50, (48, 60, 3))).astype(
        np.uint8
    )
    usual = last_levels()
    for options in ({"edge": 0.0}, {"color": 20.0}, {"histogram": 500.0}, {"size": 0.0}):
        assert (last_levels(**options) != usual).any(), options


def test_merging_refuses_what_it_cannot_use():
    base = np.zeros(LABELS.shape, np.int32)
    hierarchy = merge_regions(IMAGE, base)
    for bad in (0, -3):
        with pytest.raises(RangeError, match="count"):
            hierarchy.labels(bad)
    with pytest.raises(DtypeError, match="whole number"):
        hierarchy.labels(2.5)
    with pytest.raises(RangeError, match="threshold"):
        hierarchy.labels(threshold=float("nan"))
    with pytest.raises(RangeError, match="either"):
        hierarchy.labels()
    with pytest.raises(RangeError, match="negative"):
        merge_regions(IMAGE, base - 1)
    with pytest.raises(ShapeError, match="base"):
        merge_regions(IMAGE, base[1:])
