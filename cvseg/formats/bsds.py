"""Berkeley segmentation files (.mat): several people's truth, segmentations of several levels, contour maps.

Truth: `groundTruth`, a cell array with a struct a person: `Segmentation`, labels from 1, and `Boundaries`, 0 or 1.
Results: `segs`, a cell array of label maps, fine to coarse; or `ucm2`, (2 H + 1, 2 W + 1), the strength of the contour
between pixels: odd rows and columns, counted from 0, are the pixels, the others the sides between them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError


def read_bsds_truth(path: str | Path) -> list[tuple[NDArray[np.int32], NDArray[np.bool_]]]:
    """Read what several people drew.

    Returns
    -------
    list of (labels, boundary) : (H, W) int32 from 1, and (H, W) bool

    Raises
    ------
    FormatError
    """
    people = _cells(path, _variables(path), "groundTruth")
    found = []
    for number, person in enumerate(people, start=1):
        try:
            labels, boundary = (np.asarray(person[name].item()) for name in ("Segmentation", "Boundaries"))
        except (KeyError, ValueError, IndexError, TypeError):
            raise FormatError(f"{path}: entry {number} of groundTruth lacks Segmentation or Boundaries.") from None
        if labels.ndim != 2 or boundary.shape != labels.shape or not labels.size:
            raise FormatError(
                f"{path}: entry {number} of groundTruth has labels {labels.shape} and boundaries {boundary.shape}; "
                "expected two maps of one size."
            )
        found.append((labels.astype(np.int32), boundary > 0))
    return found


def read_bsds_result(path: str | Path) -> list[NDArray[np.int32]] | NDArray[np.float64]:
    """Read a result: a list of (H, W) int32 label maps from `segs`, or the (2 H + 1, 2 W + 1) map `ucm2`.

    Raises
    ------
    FormatError
    """
    variables = _variables(path)
    if "ucm2" in variables:
        contours = np.asarray(variables["ucm2"], np.float64)
        if contours.ndim != 2 or min(contours.shape) < 3 or not (contours.shape[0] % 2 and contours.shape[1] % 2):
            raise FormatError(f"{path}: ucm2 is {contours.shape}; expected odd sides, (2 H + 1, 2 W + 1).")
        return contours
    levels = [np.asarray(level) for level in _cells(path, variables, "segs")]
    if any(level.ndim != 2 or level.shape != levels[0].shape or level.dtype.kind not in "iufb" for level in levels):
        raise FormatError(f"{path}: segs has levels of {[level.shape for level in levels]}; expected one size.")
    return [level.astype(np.int32) for level in levels]


def contour_levels(contours: NDArray[np.float64], thresholds: list[float]) -> list[NDArray[np.int32]]:
    """The segments of a `ucm2` map at each threshold: pixels joined across contours that are not stronger.

    Parameters
    ----------
    contours : (2 H + 1, 2 W + 1)
    thresholds : in the unit of the map

    Returns
    -------
    list of (H, W) int32, labels from 1
    """
    from scipy.ndimage import label

    joined = [label(contours <= threshold, np.ones((3, 3)))[0] for threshold in thresholds]
    return [np.ascontiguousarray(labels[1::2, 1::2], np.int32) for labels in joined]


def contour_strength(contours: NDArray[np.float64]) -> NDArray[np.float64]:
    """(H, W) strength at the lower right corner of each pixel of a `ucm2` map."""
    return np.ascontiguousarray(contours[2::2, 2::2])


def _variables(path: str | Path) -> dict[str, Any]:
    from scipy.io import loadmat

    if not Path(path).is_file():
        raise FormatError(f"{path} does not exist; expected a .mat file. Check the path.")
    try:
        variables: dict[str, Any] = loadmat(path)
    except NotImplementedError:
        raise FormatError(f"{path} is a MATLAB 7.3 file; expected an older one. Save it with '-v7'.") from None
    except Exception as error:  # the reader raises nearly every built-in on damaged data
        raise FormatError(f"{path} cannot be read as a .mat file ({error}). Copy it again.") from None
    return variables


def _cells(path: str | Path, variables: dict[str, Any], name: str) -> list[Any]:
    if name not in variables:
        known = ", ".join(sorted(key for key in variables if not key.startswith("__"))) or "nothing"
        raise FormatError(f"{path} holds {known}; expected {name}.")
    cells = variables[name]
    if not isinstance(cells, np.ndarray) or cells.dtype != object or cells.size == 0:
        raise FormatError(f"{path}: {name} is no cell array with at least one entry.")
    return list(cells.ravel())
