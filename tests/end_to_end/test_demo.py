"""`cvseg demo` and `cvseg warmup`: they run, score, and can be repeated."""

from __future__ import annotations

from click.testing import CliRunner

from cvseg.cli.__main__ import cli

from .checks import check_results, one_sentence


def run(*words):
    return CliRunner().invoke(cli, [str(word) for word in words], prog_name="cvseg")


def test_the_demo_prints_scores_where_to_look_and_what_to_try(tmp_path):
    out = tmp_path / "out"
    done = run("demo", "-o", out, "--frames", 10, "--size", "160x96")
    assert done.exit_code == 0, done.output
    for words in ("J mean", "F mean", "identity switches", str(out / "report.html"), "Try next:"):
        assert words in done.output
    assert done.output.count("  cvseg ") == 3
    summary = check_results(out)
    assert summary["video"]["frames"] == 10
    assert 0 <= summary["scores"]["J mean"] <= 1
    assert "Against the known truth" in (out / "report.html").read_text()


def test_the_demo_replaces_its_own_results_and_nobody_elses(tmp_path):
    out = tmp_path / "out"
    for _ in range(2):
        assert run("demo", "-o", out, "--frames", 3, "--size", "96x64", "-q").exit_code == 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("precious")
    done = run("demo", "-o", tmp_path / "mine", "--frames", 3, "--size", "96x64")
    assert done.exit_code == 2
    one_sentence(done.stderr)
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "precious"


def test_the_demo_finds_most_of_what_moves(tmp_path):
    words = ("--scene", "crossing", "--frames", 40, "--size", "320x180", "-q")
    assert run("demo", "-o", tmp_path / "out", *words).exit_code == 0
    assert check_results(tmp_path / "out")["scores"]["J mean"] > 0.7


def test_an_unknown_scene_and_a_wrong_size_get_one_sentence(tmp_path):
    done = run("demo", "-o", tmp_path / "out", "--scene", "demmo")
    assert done.exit_code == 2
    assert "did you mean 'demo'?" in one_sentence(done.stderr)
    assert run("demo", "-o", tmp_path / "out", "--size", "4x4").exit_code == 2
    assert run("demo", "-o", tmp_path / "out", "--size", "big").exit_code == 2
    assert not (tmp_path / "out").exists()


def test_warmup_runs_every_kernel_and_preset():
    from cvseg.kernels import KERNELS

    done = run("warmup", "--device", "cpu")
    assert done.exit_code == 0, done.output
    assert all(name in done.output for name in KERNELS)
    assert "preset quality" in done.output
    assert f"{len(KERNELS)} kernels are ready on cpu" in done.output
