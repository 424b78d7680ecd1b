"""The example of docs/developing/add_a_kernel.md compiles, runs and passes its own test."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
from cuda_on_cpu import nvrtc
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host

PAGE = Path(__file__).resolve().parents[2] / "docs" / "developing" / "add_a_kernel.md"


@pytest.fixture
def blocks():
    return re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def example(blocks, tmp_path):
    """The module of the page's example, made from its text."""
    (cuda, cuda_text), (python, python_text), (test, _) = blocks
    assert (cuda, python, test) == ("cuda", "python", "python")
    (tmp_path / "local_contrast.cu").write_text(cuda_text, encoding="utf-8")
    (tmp_path / "local_contrast.py").write_text(python_text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("local_contrast", tmp_path / "local_contrast.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_both_halves_agree(example, cuda_runner):
    kernel = example.local_contrast
    for size_hw in ((1, 1), (7, 5), (61, 47)):
        arguments = kernel.sample(np.random.default_rng(0), size_hw)
        assert_array_equal(cuda_runner(kernel, *arguments), kernel.cpu(*arguments))


def test_its_own_test_passes(example, blocks, device):
    names = {"np": np, "to_host": to_host, "local_contrast": example.local_contrast}
    exec(blocks[2][1], names)
    names["test_a_single_bright_pixel_and_its_neighbours_have_contrast"](device)


@pytest.mark.skipif(nvrtc.library() is None, reason="NVRTC is absent; pip install nvidia-cuda-nvrtc")
def test_it_compiles_without_a_warning(example):
    source = example._cuda
    succeeded, log, _ = nvrtc.compile_for(source.text, source.path.name, source.options, "sm_80")
    assert succeeded and not log, log
