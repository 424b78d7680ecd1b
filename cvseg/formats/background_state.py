"""State of a background model as a file: a plain .npz (a zip of arrays) that holds no code and is never unpickled.

The member ``header`` is JSON as bytes: the format's number, the method, its options, the size of the pictures and the
tree of `state_dict`, in which an array is the name of another member. Every other member is one array. The zip's own
checksums find damage, and a name appears only when the file is whole.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cvseg.errors import FormatError, OptionError, OutputError, ShapeError
from cvseg.options import Options

MARK, FORMAT = "cvseg background state", 1
HEADER = "header"
DAMAGED = "Begin anew without it, or use another copy."


@dataclass(frozen=True)
class BackgroundState:
    """What a state file holds.

    Attributes
    ----------
    method : key of `cvseg.background.BACKGROUND_METHODS`
    options : values of its options by name
    size_hw : height and width of the pictures it has learned from
    frames : pictures learned from, in all runs together
    state : for the model's `load_state_dict`
    """

    method: str
    options: Mapping[str, Any]
    size_hw: tuple[int, int]
    frames: int
    state: Mapping[str, Any]


def write_background_state(path: str | os.PathLike[str], state: BackgroundState) -> None:
    """Write a state file; an older one stays as it is until the new one is whole.

    Raises
    ------
    OutputError
    TypeError
        when the state holds something that is neither a number, text, None, an array, nor a list or dict of these.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> state = BackgroundState("running_gaussian", {}, (2, 3), 5, {"mean": np.ones((2, 3), np.float32), "floor": 0.1})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_background_state(pathlib.Path(folder) / "state.npz", state)
    ...     read_background_state(pathlib.Path(folder) / "state.npz").state["floor"]
    0.1
    """
    import cvseg
    from cvseg.video.replace_file import replacing

    arrays: dict[str, Any] = {}
    header = {
        "kind": MARK,
        "format": FORMAT,
        "written_by": f"cvseg {cvseg.__version__}",
        "method": state.method,
        "options": dict(state.options),
        "size_hw": [int(n) for n in state.size_hw],
        "frames": int(state.frames),
        "state": _plain(state.state, arrays),
    }
    members = {HEADER: np.frombuffer(json.dumps(header).encode("utf-8"), np.uint8), **arrays}
    with replacing(Path(path)) as partial, open(partial, "wb") as file:
        np.savez(file, **members)


def read_background_state(path: str | os.PathLike[str]) -> BackgroundState:
    """Read a state file.

    Raises
    ------
    FormatError
        when it is missing, damaged, no state file, or of a later format.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
        if HEADER not in names:
            raise FormatError(f"{path} is no state of a background model; expected a file of 'cvseg background'.")
        with np.load(path, allow_pickle=False) as members:
            header = json.loads(members[HEADER].tobytes().decode("utf-8"))
            if not isinstance(header, dict) or header.get("kind") != MARK:
                raise FormatError(f"{path} is no state of a background model; expected a file of 'cvseg background'.")
            if header.get("format") != FORMAT:
                raise FormatError(
                    f"{path} has format {header.get('format')!r}; this version reads {FORMAT}. It was written by "
                    f"{header.get('written_by')!r}: use that version, or begin anew."
                )
            height, width = (int(n) for n in header["size_hw"])
            state = BackgroundState(
                method=str(header["method"]),
                options=dict(header["options"]),
                size_hw=(height, width),
                frames=int(header["frames"]),
                state=_restored(header["state"], members),
            )
            if not isinstance(state.state, Mapping):
                raise TypeError("the state is no table")
    except FormatError:
        raise
    except FileNotFoundError:
        raise FormatError(f"{path} does not exist; expected a state that --save-state has written.") from None
    except IsADirectoryError:
        raise FormatError(f"{path} is a folder; expected a state that --save-state has written.") from None
    except PermissionError:
        raise FormatError(f"{path} may not be read: permission denied. Change its permissions.") from None
    except Exception as error:  # zip, JSON and array decoders raise nearly every built-in on damaged data
        raise FormatError(
            f"{path} is damaged or no state of a background model ({_reason(error)}). {DAMAGED}"
        ) from None
    return state


def restored_model(path: str | os.PathLike[str], method: str, options: Options, size_hw: tuple[int, int]) -> Any:
    """A model of `method` that goes on where the file ends.

    Parameters
    ----------
    path : a state file
    method, options : what the model is to be; both must be those of the file
    size_hw : of the pictures to come

    Raises
    ------
    FormatError
    OptionError
        when the file was written for another method or with other options; the message names the first of them.
    ShapeError
        when it was written for pictures of another size.
    """
    held = read_background_state(path)
    if held.method != method:
        raise OptionError(
            f"{path} is a state of the method '{held.method}'; the method asked for is '{method}'. "
            f"Add --method {held.method}, or begin anew without the state."
        )
    # Through JSON, as the file's own: tuples become lists.
    wanted = json.loads(json.dumps(options.to_mapping()))
    for name in sorted({*wanted, *held.options}):
        if name not in wanted or name not in held.options or wanted[name] != held.options[name]:
            raise OptionError(
                f"{path} was written with {name} = {held.options.get(name, 'absent')!r}; now it is "
                f"{wanted.get(name, 'absent')!r}. Use the same options, or begin anew without the state."
            )
    if held.size_hw != tuple(size_hw):
        raise ShapeError(
            f"{path} was written for pictures of {held.size_hw[1]}x{held.size_hw[0]}; these are "
            f"{size_hw[1]}x{size_hw[0]}. Give pictures of the same size, or begin anew without the state."
        )
    return _filled(path, method, options, held)


def _filled(path: str | os.PathLike[str], method: str, options: Options, held: BackgroundState) -> Any:
    """A model that has taken the state in: a file may be whole and wrong all the same."""
    from cvseg.background import background_model

    model = background_model(method, options)
    try:
        _check_numbers(held.state, "state")
        model.load_state_dict(held.state)
    except Exception as error:  # models index, reshape and convert what they are given
        raise FormatError(
            f"{path} does not hold a state of the method '{method}' ({_reason(error)}). {DAMAGED}"
        ) from None
    return model


def _check_numbers(value: Any, place: str) -> None:
    """No NaN anywhere: it would spread over all pictures to come."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            _check_numbers(item, f"{place}.{name}")
    elif isinstance(value, (float, np.floating, np.ndarray)):
        array = np.asarray(value)
        if array.dtype.kind == "f" and np.isnan(array).any():
            raise ValueError(f"{place} holds NaN")


def _plain(value: Any, arrays: dict[str, Any]) -> Any:
    """`value` as JSON; its arrays are moved to `arrays`, and NumPy's numbers keep their type there."""
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("the state holds a table whose names are no text")
        return {"table": {key: _plain(item, arrays) for key, item in value.items()}}
    if isinstance(value, (list, tuple)):
        return {type(value).__name__: [_plain(item, arrays) for item in value]}
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        if array.dtype.hasobject:
            raise TypeError("the state holds an array of objects")
        name = f"array{len(arrays):04d}"
        arrays[name] = array
        return {"array" if isinstance(value, np.ndarray) else "number": name}
    if value is None or isinstance(value, (bool, int, float, str)):
        return {"value": value}
    raise TypeError(f"the state holds {type(value).__name__}")


def _restored(tree: Any, members: Any) -> Any:
    if not isinstance(tree, dict) or len(tree) != 1:
        raise ValueError("the tree of the state is broken")
    ((kind, content),) = tree.items()
    if kind == "table":
        return {key: _restored(item, members) for key, item in content.items()}
    if kind in ("list", "tuple"):
        items = [_restored(item, members) for item in content]
        return items if kind == "list" else tuple(items)
    if kind == "array":
        return np.array(members[content])
    if kind == "number":
        return members[content][()]
    if kind == "value":
        return content
    raise ValueError(f"the tree of the state holds {kind!r}")


def _reason(error: Exception) -> str:
    words = str(error).strip("'\"").splitlines()
    return words[0] if words and words[0] else type(error).__name__


def check_state_file(path: str | os.PathLike[str]) -> None:
    """Prove that a state can be written there, before any work is done.

    Raises
    ------
    OutputError
    """
    from cvseg.video.replace_file import prepare_folder

    if not os.fspath(path) or os.path.isdir(path):
        raise OutputError(f"the state file is {os.fspath(path)!r}; expected the name of a file, such as state.npz.")
    folder = Path(path).parent
    if not os.path.isdir(folder):
        raise OutputError(f"{path} cannot be written: there is no folder {folder}. Make it first.")
    prepare_folder(folder)
