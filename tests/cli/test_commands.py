"""The command as a whole: help, version, unknown names, and how errors end."""

from __future__ import annotations

import importlib

import click
import pytest
from click.testing import CliRunner

import cvseg
from cvseg.cli.__main__ import COMMANDS, cli
from cvseg.cli.demo import parse_size
from cvseg.cli.segment import DEVICES, PRESETS, parse_min_area, parse_roi
from cvseg.errors import CvsegError, OptionError


def run(*words):
    return CliRunner().invoke(cli, [str(word) for word in words], prog_name="cvseg")


def test_version_names_the_program_and_its_version():
    assert run("--version").output == f"cvseg {cvseg.__version__}\n"


def test_help_lists_every_command_with_its_line():
    text = run("--help").output
    assert all(name in text for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_loaded_and_explains_itself(name):
    command = importlib.import_module(f"cvseg.cli.{name}").command
    assert isinstance(command, click.Command)
    assert command.name == name
    done = run(name, "--help")
    assert done.exit_code == 0
    assert "Usage: cvseg " + name in done.output


def test_every_option_has_a_help_text():
    for name in COMMANDS:
        command = importlib.import_module(f"cvseg.cli.{name}").command
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.name}"


def test_an_unknown_command_names_the_nearest():
    done = run("segmnt")
    assert done.exit_code == 2
    assert "did you mean 'segment'?" in done.output


def test_an_unknown_option_names_the_nearest():
    done = run("segment", "a.mp4", "-o", "out", "--prest", "fast")
    assert done.exit_code == 2
    assert "--prest" in done.output
    assert "--preset" in done.output


@pytest.mark.parametrize(("option", "value"), [("--preset", "best"), ("--device", "gpu"), ("--max-height", "4")])
def test_an_option_value_that_is_not_allowed_is_named(option, value):
    done = run("segment", "a.mp4", "-o", "out", option, value)
    assert done.exit_code == 2
    assert value in done.output
    assert "Traceback" not in done.output


def test_a_missing_output_is_asked_for():
    done = run("segment", "a.mp4")
    assert done.exit_code == 2
    assert "--out" in done.output


def test_an_error_of_the_library_becomes_one_sentence_and_exit_code_two(monkeypatch):
    def fail(*_, **__):
        raise CvsegError("something came. Something else is needed.")

    monkeypatch.setattr("cvseg.cli.doctor.examine", fail)
    done = run("doctor")
    assert done.exit_code == 2
    assert done.stderr == "cvseg: something came. Something else is needed.\n"


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [(ModuleNotFoundError("No module named 'PIL'"), 2, "cvseg doctor"), (OSError(28, "No space left"), 2, "No space")],
)
def test_a_broken_installation_or_system_becomes_one_sentence(monkeypatch, error, code, words):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("cvseg.cli.doctor.examine", fail)
    done = run("doctor")
    assert done.exit_code == code
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_reader_that_has_gone_ends_the_command_silently(monkeypatch):
    def fail(*_, **__):
        raise BrokenPipeError

    monkeypatch.setattr("cvseg.cli.doctor.examine", fail)
    done = run("doctor")
    assert (done.exit_code, done.output) == (141, "")


def test_the_presets_and_devices_of_the_command_line_are_those_of_the_pipeline():
    from cvseg.pipeline import PRESETS as pipeline_presets

    assert set(PRESETS) == set(pipeline_presets)
    assert set(DEVICES) == {"auto", "cpu", "cuda"}


def test_a_region_of_interest_is_four_numbers_or_an_existing_picture(tmp_path):
    mask = tmp_path / "mask.png"
    mask.write_bytes(b"")
    assert parse_roi("1,2,30,40") == (1, 2, 30, 40)
    assert parse_roi(str(mask)) == str(mask)
    assert parse_roi(None) is None
    for wrong in ("1,2,30", "1,2,0,40", "-1,2,30,40", "nowhere.png", ""):
        with pytest.raises(OptionError, match="--roi"):
            parse_roi(wrong)


def test_the_smallest_area_is_pixels_or_a_share_of_the_frame():
    assert parse_min_area("12", 100, 50) == 12
    assert parse_min_area("12 px", 100, 50) == 12
    assert parse_min_area("2%", 100, 50) == 100
    assert parse_min_area("0.5 %", 100, 50) == 25
    assert parse_min_area(None, 100, 50) is None
    for wrong in ("-1", "1.5", "101%", "5001", "many", ""):
        with pytest.raises(OptionError, match="--min-area"):
            parse_min_area(wrong, 100, 50)


def test_a_frame_size_is_width_by_height():
    assert parse_size("854x480") == (854, 480)
    with pytest.raises(OptionError, match="--size"):
        parse_size("480p")
