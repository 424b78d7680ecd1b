"""Same input, same output: the same bytes for any number of threads, in two runs, and whatever memory held before."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from cvseg.cli.__main__ import cli
from cvseg.kernels import KERNELS, bands, team
from cvseg.kernels.flow import inverse_search_program, pyramid_program
from cvseg.synthetic import ClipOptions, render_clip

from . import inputs

SCENES = {
    "moving camera": ClipOptions(
        size_hw=(90, 131), frames=12, objects=3, camera="pan", background="wall", speed=4.0, seed=2
    ),
    # Long enough for the background model to take over.
    "static camera": ClipOptions(size_hw=(72, 100), frames=20, objects=2, background="garage", speed=3.0, seed=3),
}


@pytest.fixture
def narrow_bands(monkeypatch):
    """Divide small pictures among threads too. Returns the functions and the teams that were divided."""
    divided, run_bands = set(), bands.run_bands

    def run_narrow(function, rows, *arguments, least=48, align=1):
        if bands.thread_count() > 1 and rows >= 8:
            divided.add(function.__name__)
        run_bands(function, rows, *arguments, least=min(least, 4), align=align)

    def run_counted(program, passes, *arguments):
        if bands.thread_count() > 1:
            divided.add(f"team {program.__name__}")
        team.run_team(program, passes, *arguments)

    for kernel in KERNELS.values():
        module = sys.modules[kernel.cpu.__module__]
        if hasattr(module, "run_bands"):
            monkeypatch.setattr(module, "run_bands", run_narrow)
    for module in (pyramid_program, inverse_search_program):
        monkeypatch.setattr(module, "run_team", run_counted)
    return divided


@pytest.fixture(params=SCENES)
def video(request, tmp_path):
    clip = render_clip(SCENES[request.param])
    return inputs.write_video(tmp_path / "clip.mkv", np.stack([frame.image for frame in clip]))


def written(out):
    """Bytes of everything that must be the same, by name."""
    files = {path.name: path.read_bytes() for path in (out / "masks").iterdir()}
    return files | {"tracks.txt": (out / "tracks.txt").read_bytes()}


def segment(video, out, preset):
    words = ["segment", video, "-o", out, "--preset", preset, "--device", "cpu", "--no-overlay", "-q"]
    done = CliRunner().invoke(cli, [str(word) for word in words], prog_name="cvseg")
    assert done.exit_code == 0, done.output
    return written(out)


@pytest.mark.parametrize("preset", ["fast", "balanced"])
def test_any_number_of_threads_gives_the_same_bytes(video, preset, tmp_path, use_threads, narrow_bands):
    use_threads(1)
    alone = segment(video, tmp_path / "1", preset)
    assert alone["tracks.txt"], "nothing was found, so nothing was compared"
    assert not narrow_bands
    for run, threads in enumerate((2, 5, 5)):
        use_threads(threads)
        assert segment(video, tmp_path / f"{threads} {run}", preset) == alone
    assert len(narrow_bands) > 12, narrow_bands
    assert any(name.startswith("team ") for name in narrow_bands), "flow ran on no team"


def test_another_process_gives_the_same_bytes(tmp_path, use_threads):
    clip = render_clip(SCENES["moving camera"])
    video = inputs.write_video(tmp_path / "clip.mkv", np.stack([frame.image for frame in clip]))
    use_threads(2)
    here = segment(video, tmp_path / "here", "balanced")
    assert here["tracks.txt"]
    # Fresh memory is full of a pattern, sets are in another order, and matrix products have another number of threads.
    other = {
        "MALLOC_PERTURB_": "137",
        "PYTHONHASHSEED": "12345",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "CVSEG_NUM_THREADS": "3",
    }
    words = [sys.executable, "-m", "cvseg.cli", "segment", str(video), "-o", str(tmp_path / "there")]
    done = subprocess.run(
        [*words, "--device", "cpu", "--no-overlay", "-q"], env=os.environ | other, capture_output=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert written(tmp_path / "there") == here


def test_a_real_video_gives_the_same_bytes_for_any_number_of_threads(data_folder, tmp_path, use_threads):
    folder = data_folder / "DAVIS2016" / "JPEGImages" / "480p" / "horsejump-high"
    if not folder.is_dir():
        pytest.skip(f"{folder} is missing")
    frames = tmp_path / "frames"
    frames.mkdir()
    for path in sorted(folder.glob("*.jpg"))[:8]:
        (frames / path.name).symlink_to(path)
    results = []
    for threads in (1, 5):
        use_threads(threads)
        results.append(segment(frames, tmp_path / str(threads), "fast"))
    assert results[0] == results[1]
    assert results[0]["tracks.txt"]
