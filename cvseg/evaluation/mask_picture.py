"""Picture of a wrong mask: the frame with hits green, false alarms red, misses blue, and the true outline white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_shapes

HIT, FALSE_ALARM, MISS, OUTLINE = (40, 200, 80), (235, 50, 50), (60, 110, 255), (255, 255, 255)
OPACITY = 0.5  # of the tints
VOID_SHADE = 0.45  # pixels that do not count are darker


def mask_picture(
    result: NDArray[np.bool_],
    truth: NDArray[np.bool_],
    void: NDArray[np.bool_] | None = None,
    image: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Draw where a mask is right and wrong.

    Parameters
    ----------
    result, truth : (H, W) bool
    void : (H, W) bool, pixels that do not count; drawn darker, without a tint
    image : (H, W, 3) uint8 RGB, the frame; default grey

    Returns
    -------
    (H, W, 3) uint8 RGB

    Raises
    ------
    ShapeError, DtypeError

    Examples
    --------
    >>> nothing, everything = np.zeros((2, 3), bool), np.ones((2, 3), bool)
    >>> mask_picture(everything, nothing)[0, 0].tolist()
    [163, 71, 71]
    """
    masks = {"result": result, "truth": truth} | ({} if void is None else {"void": void})
    frame = {} if image is None else {"image": (image, "H W 3")}
    check_shapes("mask_picture", **{name: (mask, "H W") for name, mask in masks.items()}, **frame)
    check_dtype("mask_picture", np.bool_, **masks)
    counted = np.ones(truth.shape, bool) if void is None else ~void
    picture = np.full((*truth.shape, 3), 92, np.float32) if image is None else image.astype(np.float32)
    for mask, color in ((result & truth, HIT), (result & ~truth, FALSE_ALARM), (truth & ~result, MISS)):
        tinted = mask & counted
        picture[tinted] += OPACITY * (np.array(color, np.float32) - picture[tinted])
    picture[~counted] *= VOID_SHADE
    # Where the truth changes to the right or below; the line lies inside the object.
    edge = np.zeros(truth.shape, bool)
    across, down = truth[:, 1:] != truth[:, :-1], truth[1:] != truth[:-1]
    edge[:, :-1] |= across
    edge[:, 1:] |= across
    edge[:-1] |= down
    edge[1:] |= down
    picture[edge & truth] = OUTLINE
    return picture.astype(np.uint8)
