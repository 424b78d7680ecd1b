"""Number the connected components of a mask or of a label map, in one frame or along time."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvseg.arrays import array_module, to_host
from cvseg.checks import check_shapes
from cvseg.errors import DtypeError, RangeError

# Neighbours in one frame and what they are in a volume of one frame.
_PLANE = {4: 6, 8: 26}


def label_components(mask: Any, connectivity: int = 8) -> tuple[Any, int]:
    """Give the pixels of each connected component the same number.

    Parameters
    ----------
    mask : (H, W) bool or uint8, non-zero inside; or int32 labels, 0 outside: only pixels of one label are joined
    connectivity : 4 joins pixels that share an edge, 8 also those that share a corner

    Returns
    -------
    labels : (H, W) int32 on the mask's device; 0 outside, 1..n in raster order of each component's first pixel
    count : n; reading it synchronises a GPU

    Raises
    ------
    ShapeError, DtypeError, RangeError

    Notes
    -----
    On the CPU, runs of pixels are joined by union-find; on a GPU, pixels are. Both number alike, and as
    ``scipy.ndimage.label`` does.

    Examples
    --------
    >>> labels, count = label_components(np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 0, 0]], bool))
    >>> count, labels.tolist()
    (2, [[1, 0, 1], [0, 1, 0], [0, 0, 0], [2, 0, 0]])
    >>> label_components(np.array([[3, 3, 7, 0, 3]], np.int32))[0].tolist()
    [[1, 1, 2, 0, 3]]
    """
    from cvseg.kernels.labeling.label_components import label_components as kernel

    check_shapes("label_components", mask=(mask, "H W"))
    if connectivity not in _PLANE:
        raise RangeError(f"label_components: connectivity is {connectivity!r}; it must be 4 or 8.")
    if mask.dtype == np.dtype(np.int32):
        labels, count = label_volume(mask[None], _PLANE[connectivity])
        return labels[0], count
    labels, found = kernel(mask_bytes("label_components", mask), np.int32(connectivity))
    return labels, int(to_host(found)[0])


def label_volume(volume: Any, connectivity: int = 26) -> tuple[Any, int]:
    """Number the connected components of a video: in a frame, and from one frame to the next.

    Parameters
    ----------
    volume : (T, H, W) bool or uint8, non-zero inside; or int32 labels, 0 outside: only voxels of one label are joined
    connectivity : 6 joins voxels that share a face, 18 also those that share an edge, 26 also those that share a corner

    Returns
    -------
    labels : (T, H, W) int32 on the volume's device; 0 outside, 1..n in raster order of each component's first voxel
    count : n; reading it synchronises a GPU

    Raises
    ------
    ShapeError, DtypeError, RangeError

    Notes
    -----
    Equal to ``scipy.ndimage.label`` with ``generate_binary_structure(3, 1)``, 2 or 3. The whole video is held; for one
    frame after the other see `cvseg.regions.ComponentStream`.

    Examples
    --------
    >>> video = np.array([[[1, 1, 0, 0]], [[0, 0, 1, 0]], [[0, 0, 1, 0]]], bool)
    >>> label_volume(video, 6)[0][:, 0].tolist(), label_volume(video, 18)[1]
    ([[1, 1, 0, 0], [0, 0, 2, 0], [0, 0, 2, 0]], 1)
    """
    from cvseg.kernels.labeling.label_volume import label_volume as kernel

    check_shapes("label_volume", volume=(volume, "T H W"))
    check_volume_connectivity("label_volume", connectivity)
    if volume.size >= 2**31:
        raise RangeError(
            f"label_volume: volume is {tuple(volume.shape)}, {volume.size} voxels; expected fewer than 2^31. Label it "
            "frame by frame with ComponentStream."
        )
    by_value = volume.dtype == np.dtype(np.int32)
    if not by_value and volume.dtype not in (np.dtype(bool), np.dtype(np.uint8)):
        raise DtypeError(
            f"label_volume: volume is {volume.dtype}; expected bool, uint8, or int32 labels. Compare it with a "
            "threshold first."
        )
    given = array_module(volume).ascontiguousarray(volume)
    given = given if by_value else given.view(np.uint8)
    labels, found = kernel(given, np.int32(connectivity), np.int32(by_value))
    return labels, int(to_host(found)[0])


def check_volume_connectivity(caller: str, connectivity: Any) -> None:
    """Demand 6, 18 or 26.

    Raises
    ------
    RangeError
    """
    if connectivity not in (6, 18, 26):
        raise RangeError(f"{caller}: connectivity is {connectivity!r}; it must be 6, 18 or 26.")


def mask_bytes(caller: str, mask: Any) -> Any:
    """`mask` as contiguous bytes, without a copy where it is contiguous.

    Raises
    ------
    DtypeError
        for anything but bool and uint8: a float mask needs a threshold that only the caller can choose.
    """
    if mask.dtype not in (np.dtype(bool), np.dtype(np.uint8)):
        raise DtypeError(f"{caller}: mask is {mask.dtype}; expected bool or uint8. Compare it with a threshold first.")
    return array_module(mask).ascontiguousarray(mask).view(np.uint8)
