"""The error family: each is also a built-in, and names the nearest valid name."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from cvseg import errors
from cvseg.errors import CvsegError, nearest_name

ROOT = Path(__file__).resolve().parent.parent
FAMILY = {
    name: value for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)
}


@pytest.mark.parametrize("name", FAMILY)
def test_every_error_is_a_cvseg_error_and_says_what_it_means(name):
    assert issubclass(FAMILY[name], CvsegError)
    assert FAMILY[name].__doc__.endswith(".")


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("InputError", ValueError),
        ("ShapeError", ValueError),
        ("OptionError", ValueError),
        ("FormatError", ValueError),
        ("DeviceError", RuntimeError),
        ("KernelCompileError", RuntimeError),
        ("VideoError", OSError),
        ("FrameDecodeError", OSError),
        ("OutputError", OSError),
        ("MissingExtraError", ImportError),
    ],
)
def test_code_that_knows_only_the_builtin_catches_it(name, builtin):
    with pytest.raises(builtin, match="what came, what is needed"):
        raise FAMILY[name]("what came, what is needed")


@pytest.mark.parametrize("name", FAMILY)
def test_errors_travel_between_processes(name):
    error = pickle.loads(pickle.dumps(FAMILY[name]("a sentence")))
    assert type(error) is FAMILY[name]
    assert str(error) == "a sentence"


def test_nearest_name_offers_only_what_is_near():
    assert nearest_name("tv_l2", ["tv_l1", "dis"]) == "did you mean 'tv_l1'? Valid: dis, tv_l1."
    assert nearest_name("zzz", ["tv_l1", "dis"]) == "Valid: dis, tv_l1."


def test_every_error_that_is_raised_is_expected_by_a_test():
    product = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("cvseg/**/*.py"))
    product += "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("kernels/**/*.py"))
    tests = "".join(
        path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/test_*.py") if path != Path(__file__)
    )
    raised = {name for name in FAMILY if re.search(rf"\braise {name}\(", product)}
    assert {"ShapeError", "KernelCompileError", "VideoOpenError"} <= raised
    assert {name for name in raised if not re.search(rf"\b{name}\b", tests)} == set()
