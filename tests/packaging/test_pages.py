"""What the README and the pages say is true: links lead somewhere, commands exist, the Python runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from cvseg.cli.__main__ import cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
USER_PAGES = [ROOT / "README.md", ROOT / "docs" / "getting_started.md"]


def short(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_every_link_to_a_file_leads_to_one(page):
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert not missing


def command_lines():
    for page in USER_PAGES:
        text = page.read_text(encoding="utf-8")
        found = re.findall(r"^    (?:.*\| )?(cvseg .+)$", text, re.MULTILINE) + re.findall(r"`(cvseg [^`]+)`", text)
        for line in found:
            yield pytest.param(line.split("  #")[0].strip(), id=f"{page.name}: {line[:50]}")


@pytest.mark.parametrize("line", list(command_lines()))
def test_every_command_line_is_understood(line):
    words = shlex.split(line)[1:]
    with cli.make_context("cvseg", list(words)) as context:
        name, command, rest = cli.resolve_command(context, words)
        assert name is not None
        with command.make_context(name, rest, parent=context) as inner:
            assert isinstance(inner, click.Context)


@pytest.mark.parametrize("flag", sorted(set(re.findall(r"(--[a-z][a-z-]+)", (ROOT / "README.md").read_text("utf-8")))))
def test_every_option_that_the_readme_names_exists(flag):
    from cvseg.evaluation.protocols import PROTOCOLS

    context = click.Context(cli)
    commands = [cli.get_command(context, name) for name in cli.list_commands(context)]
    evaluate = cli.get_command(context, "evaluate")
    commands += [evaluate.get_command(context, name) for name in PROTOCOLS]
    known = {name for command in commands for p in command.params for name in p.opts}
    assert flag in known


def python_blocks():
    for page in USER_PAGES:
        for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)):
            yield pytest.param(block, id=f"{page.name}-{number}")


@pytest.mark.parametrize("block", list(python_blocks()))
def test_the_python_of_the_pages_runs(block, tmp_path, monkeypatch, capsys):
    from cvseg.formats import write_mask
    from cvseg.synthetic import SCENES, render_clip
    from cvseg.video import VideoFileSink

    monkeypatch.chdir(tmp_path)
    options = {"frames": 6, "size_hw": (64, 96), "objects": 1}
    clip = render_clip(type(SCENES["demo"])(**options))
    with VideoFileSink("clip.mp4", clip.rate) as sink:
        for frame in clip.frames():
            sink.write(frame.image, frame)
    write_mask_folder = tmp_path / "out" / "masks"
    write_mask_folder.mkdir(parents=True)
    write_mask(write_mask_folder / "00042.png", clip[0].labels)
    names: dict[str, object] = {}
    exec(compile(block, "page", "exec"), names)
    if "labels" in names:
        assert (names["labels"] == clip[0].labels).all()
    if "results" in names:
        assert len(list(names["results"])) == 6
