"""State files of background models: what goes in comes out bit for bit, and nothing else is believed."""

from __future__ import annotations

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.background import background_model
from cvseg.errors import FormatError, OptionError, OutputError, ShapeError
from cvseg.formats.background_state import (
    BackgroundState,
    check_state_file,
    read_background_state,
    restored_model,
    write_background_state,
)

TREE = {
    "count": 3,
    "rate": 0.1 + 0.2,
    "name": "a \u00e9",
    "none": None,
    "yes": True,
    "big": 2**100,
    "list": [1, [2.5, np.float32(0.1)]],
    "pair": (1, 2),
    "arrays": {"mean": np.arange(6, dtype=np.float32).reshape(2, 3), "empty": np.zeros((0, 4), np.int16)},
}


def written(path, state=TREE, method="running_gaussian", options=None, size_hw=(2, 3)):
    write_background_state(path, BackgroundState(method, options or {}, size_hw, 7, state))
    return path


def same(a, b):
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for name in a:
            same(a[name], b[name])
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        assert_array_equal(a, b)
    else:
        assert a == b


def test_a_tree_of_everything_comes_back_with_its_types(tmp_path):
    held = read_background_state(written(tmp_path / "s.npz", options={"threshold": 3.0}))
    same(held.state, TREE)
    assert (held.method, held.options, held.size_hw, held.frames) == ("running_gaussian", {"threshold": 3.0}, (2, 3), 7)


def test_the_name_is_kept_as_it_is_and_nothing_stays_beside_it(tmp_path):
    written(tmp_path / "garage.state")
    assert [path.name for path in tmp_path.iterdir()] == ["garage.state"]


def test_what_is_no_plain_value_is_refused_and_the_older_file_stays(tmp_path):
    path = written(tmp_path / "s.npz")
    before = path.read_bytes()
    for wrong in ({"a": object()}, {"a": np.array([None])}, {1: 2}, {"a": b"bytes"}):
        with pytest.raises(TypeError, match="the state holds"):
            written(path, wrong)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["s.npz"]


def test_a_pickle_inside_is_never_opened(tmp_path):
    class Bomb:
        def __reduce__(self):
            return print, ("opened",)

    path = tmp_path / "bomb.npz"
    header = {"kind": "cvseg background state", "format": 1, "method": "m", "options": {}, "size_hw": [2, 3]}
    header |= {"frames": 1, "state": {"table": {"a": {"array": "array0000"}}}}
    inside = io.BytesIO()
    np.lib.format.write_array_header_1_0(inside, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    inside.write(pickle.dumps(np.array([Bomb()], object)))
    with zipfile.ZipFile(path, "w") as archive:
        plain = io.BytesIO()
        np.save(plain, np.frombuffer(json.dumps(header).encode(), np.uint8))
        archive.writestr("header.npy", plain.getvalue())
        archive.writestr("array0000.npy", inside.getvalue())
    with pytest.raises(FormatError, match=r"bomb\.npz is damaged"):
        read_background_state(path)


def _with_header(path, change):
    with np.load(path) as members:
        content = dict(members)
    header = json.loads(content["header"].tobytes())
    change(header)
    content["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    np.savez(path, **content)
    return path


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda h: h.update(format=2), "has format 2; this version reads 1"),
        (lambda h: h.update(kind="poem"), "is no state of a background model"),
        (lambda h: h.pop("method"), "damaged"),
        (lambda h: h.update(size_hw=[1]), "damaged"),
        (lambda h: h.update(frames="many"), "damaged"),
        (lambda h: h.update(state={"value": 3}), "damaged"),
        (lambda h: h.update(state={"strange": 3}), "strange"),
        (lambda h: h["state"]["table"].update(a={"array": "array9999"}), "array9999"),
    ],
)
def test_a_changed_header_is_a_sentence(tmp_path, change, says):
    with pytest.raises(FormatError, match=says):
        read_background_state(_with_header(written(tmp_path / "s.npz"), change))


def _learned(tmp_path, method="running_gaussian"):
    model = background_model(method)
    rng = np.random.default_rng(1)
    for _ in range(4):
        model.update(rng.integers(0, 256, (5, 7, 3), np.uint8))
    path = tmp_path / "s.npz"
    state = BackgroundState(method, model.options.to_mapping(), (5, 7), 4, model.state_dict())
    write_background_state(path, state)
    return model, path


def test_a_restored_model_goes_on_as_the_one_that_was_saved(tmp_path):
    model, path = _learned(tmp_path)
    other = restored_model(path, "running_gaussian", model.options, (5, 7))
    image = np.random.default_rng(2).integers(0, 256, (5, 7, 3), np.uint8)
    a, b = model.update(image), other.update(image)
    for name in ("foreground", "mask", "background", "shadow"):
        assert_array_equal(getattr(a, name), getattr(b, name))


def test_a_file_of_another_method_option_or_size_is_refused(tmp_path):
    model, path = _learned(tmp_path)
    with pytest.raises(OptionError, match="--method running_gaussian"):
        restored_model(path, "gaussian_mixture", background_model("gaussian_mixture").options, (5, 7))
    with pytest.raises(OptionError, match=r"written with threshold = 3\.0; now it is 2\.0"):
        restored_model(path, "running_gaussian", model.options.replaced({"threshold": 2.0}), (5, 7))
    with pytest.raises(ShapeError, match="7x5; these are 8x5"):
        restored_model(path, "running_gaussian", model.options, (5, 8))


@pytest.mark.parametrize("wrong", ["missing", "shape", "nan"])
def test_a_whole_file_with_a_wrong_state_is_refused(tmp_path, wrong):
    model, path = _learned(tmp_path)
    held = read_background_state(path)
    arrays = held.state["arrays"]
    name = next(name for name, array in arrays.items() if array.dtype == np.float32)
    if wrong == "missing":
        del arrays[name]
    elif wrong == "shape":
        arrays[name] = arrays[name][..., :-1]
    else:
        arrays[name].flat[3] = np.nan
    write_background_state(path, held)
    with pytest.raises(FormatError, match="does not hold a state of the method 'running_gaussian'"):
        restored_model(path, "running_gaussian", model.options, (5, 7))


def test_a_place_that_cannot_be_written_is_found_before_the_work(tmp_path):
    check_state_file(tmp_path / "s.npz")
    assert list(tmp_path.iterdir()) == []
    for path in (tmp_path, "", tmp_path / "no" / "s.npz"):
        with pytest.raises(OutputError):
            check_state_file(path)
