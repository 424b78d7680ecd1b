"""Every method of superpixels: connected, numbered without gaps, the same on any device, and clear about bad input."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage

from cvseg.arrays import to_host
from cvseg.errors import DtypeError, InputError, OptionError, RangeError, ShapeError
from cvseg.superpixels import SUPERPIXEL_METHODS, segment
from cvseg.superpixels.block_moves_2015 import BlockMovesOptions

every_method = pytest.mark.parametrize("method", SUPERPIXEL_METHODS)


def picture(size_hw=(61, 83), seed=3):
    """Coloured patches with ragged edges and noise."""
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=(*size_hw, 3)), (6, 6, 0))
    patches = np.digitize(smooth / max(smooth.std(), 1e-9), [-0.7, 0, 0.7]) * 60 + 30
    return np.clip(patches + rng.normal(0, 6, patches.shape), 0, 255).astype(np.uint8)


def assert_valid(labels, size_hw):
    assert labels.shape == size_hw and labels.dtype == np.int32
    count = int(labels.max()) + 1
    assert_array_equal(np.unique(labels), np.arange(count))
    for label, box in enumerate(ndimage.find_objects(labels + 1)):
        assert ndimage.label(labels[box] == label)[1] == 1, f"superpixel {label} has several parts"
    return count


@every_method
@pytest.mark.parametrize("preset", ["fast", "balanced", "quality"])
def test_superpixels_are_connected_and_about_as_many_as_asked_for(method, preset):
    for wish in (12, 40, 150):
        count = assert_valid(segment(picture(), method=method, count=wish, preset=preset), (61, 83))
        assert 0.6 * wish <= count <= 1.4 * wish, f"{count} for {wish}"


@every_method
def test_labels_are_the_same_on_every_device_and_number_of_threads(method, device, use_threads):
    image = picture((97, 70))
    use_threads(1)
    expected = segment(image, method=method, count=60)
    for threads in (2, 5):
        use_threads(threads)
        assert_array_equal(to_host(segment(device.array(image), method=method, count=60)), expected)


@every_method
@pytest.mark.parametrize("size_hw", [(1, 1), (1, 50), (43, 1), (2, 3), (5, 4), (3, 200)])
def test_tiny_and_thin_images_have_valid_superpixels(method, size_hw):
    for wish in {1, min(4, size_hw[0] * size_hw[1]), size_hw[0] * size_hw[1]}:
        assert_valid(segment(picture(size_hw), method=method, count=wish), size_hw)


@every_method
def test_an_image_of_one_colour_has_valid_superpixels(method):
    assert_valid(segment(np.full((40, 60, 3), 77, np.uint8), method=method, count=24), (40, 60))


@every_method
def test_noise_has_valid_superpixels(method):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert_valid(segment(noise, method=method, count=30), (64, 64))


@every_method
def test_a_grey_image_counts_as_one_with_three_equal_channels(method):
    gray = picture()[:, :, 0]
    expected = segment(np.repeat(gray[:, :, None], 3, axis=2), method=method, count=50)
    assert_array_equal(segment(gray, method=method, count=50), expected)
    assert_array_equal(segment(gray.astype(np.float32) / np.float32(255), method=method, count=50), expected)


@every_method
def test_a_straight_edge_is_a_boundary(method):
    image = np.full((48, 64, 3), (30, 90, 160), np.uint8)
    image[:, 27:] = (200, 120, 40)
    labels = segment(image, method=method, count=12)
    assert not np.intersect1d(labels[:, :27], labels[:, 27:]).size


@every_method
def test_the_image_is_left_as_it_was(method):
    image = picture()
    before = image.copy()
    segment(image, method=method, count=20)
    assert_array_equal(image, before)


@pytest.mark.parametrize("method", [name for name, row in SUPERPIXEL_METHODS.items() if row.takes_compactness])
def test_larger_compactness_gives_rounder_superpixels(method):
    from cvseg.evaluation import compactness

    loose, tight = (compactness(segment(picture(), method=method, count=60, compactness=m)) for m in (1.0, 60.0))
    assert loose < 0.8 * tight


@pytest.mark.parametrize(
    ("image", "error", "words"),
    [
        (np.zeros((0, 5, 3), np.uint8), ShapeError, "at least one pixel"),
        (np.zeros((4, 5, 4), np.uint8), ShapeError, "(H, W, 3) RGB"),
        (np.zeros(9, np.uint8), ShapeError, "(H, W) grey"),
        (np.zeros((4, 5), np.int32), DtypeError, "int32"),
        (np.zeros((4, 5), np.float64), DtypeError, "float64"),
        (np.full((40, 50), np.nan, np.float32), RangeError, "NaN"),
        (np.full((40, 50), 255, np.float32), RangeError, "Divide"),
        ([[1, 2]], InputError, "NumPy"),
    ],
)
def test_an_image_that_cannot_be_used_is_refused(image, error, words):
    with pytest.raises(error) as caught:
        segment(image, count=2)
    assert words in str(caught.value)


@every_method
def test_more_superpixels_than_pixels_are_refused(method):
    with pytest.raises(RangeError, match="4 x 5 = 20 pixels"):
        segment(np.zeros((4, 5, 3), np.uint8), method=method, count=21)
    with pytest.raises(RangeError, match="at least 1"):
        segment(np.zeros((4, 5, 3), np.uint8), method=method, count=0)
    with pytest.raises(DtypeError, match="whole number"):
        segment(np.zeros((4, 5, 3), np.uint8), method=method, count=2.5)


def test_unknown_names_and_wrong_options_are_refused():
    image = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(OptionError, match="block_moves"):
        segment(image, method="block_move", count=4)
    with pytest.raises(OptionError, match="balanced"):
        segment(image, count=4, preset="balancd")
    with pytest.raises(OptionError, match="needs BlockMovesOptions"):
        segment(image, count=4, options=object())
    with pytest.raises(OptionError, match="compactness"):
        segment(image, count=4, compactness=float("nan"))
    with pytest.raises(OptionError, match="at least 0"):
        BlockMovesOptions(compactness=-1.0)
