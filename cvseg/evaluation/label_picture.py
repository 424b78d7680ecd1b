"""Picture of wrong labels: right pixels green, wrong ones red, void dark, and the true regions outlined white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_shapes
from cvseg.evaluation.mask_picture import FALSE_ALARM, HIT, OUTLINE, VOID_SHADE

GREY = 92  # where there is no image
RIGHT_OPACITY, WRONG_OPACITY = 0.25, 0.6


def label_picture(
    right: NDArray[np.bool_],
    truth: NDArray[np.int32],
    void: NDArray[np.bool_],
    image: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Draw where labels are right and wrong.

    Parameters
    ----------
    right : (H, W) bool, pixels whose label is right
    truth : (H, W) integer, true labels; lines are drawn where they change
    void : (H, W) bool, pixels that do not count
    image : (H, W, 3) uint8 RGB, the frame; default grey

    Returns
    -------
    (H, W, 3) uint8 RGB

    Raises
    ------
    ShapeError, DtypeError

    Examples
    --------
    >>> right = np.array([[True, False]])
    >>> label_picture(right, np.zeros((1, 2), np.int32), np.zeros((1, 2), bool)).tolist()
    [[[79, 119, 89], [177, 66, 66]]]
    """
    frame = {} if image is None else {"image": (image, "H W 3")}
    check_shapes("label_picture", right=(right, "H W"), truth=(truth, "H W"), void=(void, "H W"), **frame)
    check_dtype("label_picture", np.bool_, right=right, void=void)
    picture = np.full((*truth.shape, 3), GREY, np.float32) if image is None else image.astype(np.float32)
    for pixels, color, opacity in ((right & ~void, HIT, RIGHT_OPACITY), (~right & ~void, FALSE_ALARM, WRONG_OPACITY)):
        picture[pixels] += opacity * (np.array(color, np.float32) - picture[pixels])
    picture[void] *= VOID_SHADE
    edge = np.zeros(truth.shape, bool)
    edge[:, :-1] |= truth[:, 1:] != truth[:, :-1]
    edge[:-1] |= truth[1:] != truth[:-1]
    picture[edge] = OUTLINE
    return picture.astype(np.uint8)
