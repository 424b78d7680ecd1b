"""Pictures of superpixels: their boundaries, their mean colours, and one colour for each number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.color.palette import davis_palette

LINE_RGB = (255, 221, 0)


def boundary_picture(
    image: NDArray[np.uint8], labels: NDArray[np.int32], line_rgb: tuple[int, int, int] = LINE_RGB
) -> NDArray[np.uint8]:
    """`image` with a line of one pixel wherever the pixel to the right or below has another label.

    >>> picture = boundary_picture(np.zeros((1, 4, 3), np.uint8), np.array([[0, 0, 1, 1]], np.int32))
    >>> picture[0, :, 0].tolist()
    [0, 255, 0, 0]
    """
    edge = np.zeros(labels.shape, bool)
    edge[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    edge[:-1] |= labels[:-1] != labels[1:]
    picture = image.copy()
    picture[edge] = line_rgb
    return picture


def mean_picture(image: NDArray[np.uint8], labels: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Every superpixel in the mean colour of its pixels.

    >>> mean_picture(np.array([[[0, 0, 0], [9, 5, 2]]], np.uint8), np.array([[3, 3]], np.int32)).tolist()
    [[[4, 2, 1], [4, 2, 1]]]
    """
    _, index = np.unique(labels, return_inverse=True)
    index = index.reshape(-1)
    areas = np.bincount(index)
    means: list[Any] = [np.bincount(index, weights=image[:, :, k].reshape(-1)) / areas for k in range(3)]
    return np.rint(np.stack(means, axis=1)).astype(np.uint8)[index].reshape(image.shape)


def number_picture(labels: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Every superpixel in the colour of its number, the same in every frame; colours repeat after 255 numbers.

    >>> number_picture(np.array([[0, 255]], np.int32)).tolist()
    [[[128, 0, 0], [128, 0, 0]]]
    """
    return davis_palette()[1 + labels % 255]
