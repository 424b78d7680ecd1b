"""Flow files by their ending: .flo (Middlebury), .png (KITTI), .npy and .npz (an array of pixels)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import FormatError
from cvseg.formats.flo import read_flo, write_flo
from cvseg.formats.kitti_flow import read_kitti_flow, write_kitti_flow
from cvseg.video.replace_file import replacing


def read_flow(path: str | Path) -> NDArray[np.float32]:
    """Read flow in the format that the ending of `path` names, see `FLOW_ENDINGS`.

    Returns
    -------
    flow_xy : (H, W, 2) float32, pixels, x right and y down; NaN in both components where the flow is unknown

    Raises
    ------
    FormatError
    """
    return _format_of(path)[0](path)


def write_flow(path: str | Path, flow_xy: NDArray[Any]) -> None:
    """Write flow in the format that the ending of `path` names; the file appears whole or not at all.

    Parameters
    ----------
    path : file to write
    flow_xy : (H, W, 2) float32, pixels; NaN where unknown

    Raises
    ------
    FormatError, ShapeError, DtypeError, RangeError, OutputError
    """
    _format_of(path)[1](path, flow_xy)


def read_flow_array(path: str | Path) -> NDArray[np.float32]:
    """Read a .npy, or the only array of a .npz: (H, W, 2) of any floating type; not finite means unknown.

    Raises
    ------
    FormatError
    """
    try:
        # NumPy leaves a file open that it cannot read, so it is opened here.
        with open(path, "rb") as file:
            values = _only_array(path, file) if Path(path).suffix.lower() == ".npz" else _array(file)
    except FormatError:
        raise
    except FileNotFoundError:
        raise FormatError(f"{path} does not exist; expected a flow array. Check the path.") from None
    except Exception as error:  # NumPy raises ValueError, EOFError, BadZipFile and more on damaged data
        raise FormatError(f"{path} cannot be read as a NumPy array ({error}); copy or write it again.") from None
    if values.ndim != 3 or values.shape[2] != 2 or values.size == 0 or values.dtype.kind != "f":
        raise FormatError(
            f"{path} is {values.shape} {values.dtype}; expected (height, width, 2) of a floating type, x then y."
        )
    with np.errstate(over="ignore"):  # beyond float32 is beyond any flow: infinite, so unknown
        flow_xy = values.astype(np.float32)
    flow_xy[~np.isfinite(flow_xy).all(axis=2)] = np.nan
    return flow_xy


def _array(file: BinaryIO) -> NDArray[Any]:
    return np.asarray(np.lib.format.read_array(file, allow_pickle=False))


def _only_array(path: str | Path, file: BinaryIO) -> NDArray[Any]:
    with np.load(file, allow_pickle=False) as archive:
        if len(archive.files) != 1:
            raise FormatError(f"{path} holds {len(archive.files)} arrays; expected one, the flow.")
        return np.asarray(archive[archive.files[0]])


def write_flow_array(path: str | Path, flow_xy: NDArray[Any]) -> None:
    """Write (H, W, 2) float32 as .npy or compressed .npz, whose array is called flow_xy.

    Raises
    ------
    ShapeError, DtypeError, OutputError
    """
    check_shapes("write_flow_array", flow_xy=(flow_xy, "H W 2"))
    check_dtype("write_flow_array", np.float32, flow_xy=flow_xy)
    with replacing(path) as partial, open(partial, "wb") as file:
        if Path(path).suffix.lower() == ".npz":
            np.savez_compressed(file, flow_xy=flow_xy)
        else:
            np.lib.format.write_array(file, np.ascontiguousarray(flow_xy), allow_pickle=False)


# Ending to reader and writer.
FLOW_ENDINGS: dict[str, tuple[Callable[..., NDArray[np.float32]], Callable[..., None]]] = {
    ".flo": (read_flo, write_flo),
    ".png": (read_kitti_flow, write_kitti_flow),
    ".npy": (read_flow_array, write_flow_array),
    ".npz": (read_flow_array, write_flow_array),
}


def check_flow_name(path: str | Path) -> None:
    """Demand an ending that `write_flow` knows, before the flow is computed.

    Raises
    ------
    FormatError
    """
    _format_of(path)


def _format_of(path: str | Path) -> tuple[Callable[..., NDArray[np.float32]], Callable[..., None]]:
    ending = Path(path).suffix.lower()
    if ending not in FLOW_ENDINGS:
        raise FormatError(f"{path} ends in {ending or 'nothing'!r}; expected one of {', '.join(FLOW_ENDINGS)}.")
    return FLOW_ENDINGS[ending]
