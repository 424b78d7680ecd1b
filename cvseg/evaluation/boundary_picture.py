"""Picture of one image in the report of regions: which boundaries were met, missed or are too many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def boundary_picture(
    boundary: NDArray[np.bool_], truth: NDArray[np.bool_], image: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """The image, or grey, with true boundaries green where they are met, blue where missed, and extra ones red.

    Parameters
    ----------
    boundary, truth : (H, W) bool; two pixels apart is met
    image : (H, W, 3) uint8 RGB

    Returns
    -------
    (H, W, 3) uint8 RGB

    Examples
    --------
    >>> line = np.eye(9, dtype=bool)
    >>> boundary_picture(line, line)[4, 4].tolist(), boundary_picture(line, np.zeros_like(line))[4, 4].tolist()
    ([40, 200, 80], [235, 50, 50])
    """
    from cvseg.regions import dilate

    picture = np.full((*truth.shape, 3), 92, np.uint8) if image is None else image.copy()
    close_to_truth, close_to_result = dilate(truth, 5), dilate(boundary, 5)
    picture[truth & ~close_to_result] = (60, 110, 255)
    picture[boundary & ~close_to_truth] = (235, 50, 50)
    picture[boundary & close_to_truth] = (40, 200, 80)
    return picture
