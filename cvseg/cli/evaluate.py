"""`cvseg evaluate`: every measure of the field, for anybody's results, one subcommand a protocol."""

from __future__ import annotations

import dataclasses
import shutil
import typing
from pathlib import Path
from typing import Any

import click

from cvseg.errors import OptionError, nearest_name
from cvseg.evaluation.protocols import PROTOCOLS, Protocol
from cvseg.options import Options

LEAST_WIDTH = 60  # of the printed table, in characters


class Protocols(click.Group):
    """Makes the subcommand of a protocol from its options when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(PROTOCOLS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in PROTOCOLS:
            return None
        return protocol_command(cmd_name, PROTOCOLS[cmd_name])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in PROTOCOLS:
            ctx.fail(f"No such protocol '{name}'; {nearest_name(name, PROTOCOLS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Protocols"):
            formatter.write_dl([(name, protocol.doc) for name, protocol in PROTOCOLS.items()])


@click.group(
    name="evaluate", cls=Protocols, epilog="'cvseg evaluate PROTOCOL --help' lists its files, options and measures."
)
def command() -> None:
    """Measure results against the truth: a table, the worst frames as pictures, curves.

    The figures equal those of the reference programs of each benchmark. Missing, extra and wrongly sized files are
    named, never skipped silently.
    """


def protocol_command(name: str, protocol: Protocol) -> click.Command:
    """The subcommand of one protocol, with a flag for each of its options."""
    module = protocol.load()
    options_class: type[Options] = getattr(module, protocol.options)
    parameters: list[click.Parameter] = [
        click.Option(["--results"], required=True, metavar="DIR", help="What is to be measured: a folder, or a file."),
        click.Option(["--truth"], required=True, metavar="DIR", help="The truth, laid out alike."),
        *option_flags(options_class),
        click.Option(["--json", "json_file"], metavar="FILE", help="Write everything that was measured as JSON."),
        click.Option(["--html", "html_file"], metavar="FILE", help="Write a report with pictures and curves."),
        click.Option(["--worst"], type=click.IntRange(0), default=12, show_default=True, help="Worst frames to show."),
        click.Option(["-q", "--quiet"], is_flag=True, help="Print the table only, no progress and no remarks."),
    ]
    text = (module.__doc__ or protocol.doc).strip()
    return click.Command(
        name,
        params=parameters,
        callback=lambda **values: run_protocol(name, protocol, options_class, **values),
        help="\n\n".join(f"\b\n{block}" for block in text.split("\n\n")),
        short_help=protocol.doc,
    )


def option_flags(options_class: type[Options]) -> list[click.Parameter]:
    """One flag for each field of an `Options` class: a switch for bool, repeatable for tuples."""
    kinds = typing.get_type_hints(options_class)
    flags: list[click.Parameter] = []
    for field in dataclasses.fields(options_class):
        names = [f"--{field.name.replace('_', '-')}", field.name]
        text = field.metadata["doc"][:1].upper() + field.metadata["doc"][1:].rstrip(".") + "."
        kind, several = _value_kind(kinds[field.name])
        if kind is bool:
            on_off = [f"{names[0]}/--no-{names[0][2:]}", field.name] if field.default else names
            flags.append(click.Option(on_off, is_flag=True, default=field.default, help=text))
        elif several:
            flags.append(
                click.Option(names, type=kind, multiple=True, default=field.default, help=f"{text} Repeatable.")
            )
        else:
            choices = field.metadata["choices"]
            flags.append(
                click.Option(
                    names,
                    type=click.Choice(choices) if choices else kind,
                    default=field.default,
                    show_default=field.default not in (None, ""),
                    help=text,
                )
            )
    return flags


def _value_kind(hint: Any) -> tuple[type, bool]:
    """The type of one value, and whether there may be several; None in a union only says that a flag may be absent."""
    members = [member for member in typing.get_args(hint) if member not in (type(None), Ellipsis)]
    if typing.get_origin(hint) is tuple:
        return members[0], True
    return (members[0] if members else hint), False


def run_protocol(
    name: str,
    protocol: Protocol,
    options_class: type[Options],
    *,
    results: str,
    truth: str,
    json_file: str | None,
    html_file: str | None,
    worst: int,
    quiet: bool,
    **values: Any,
) -> None:
    """Evaluate, print the table, write the files.

    Raises
    ------
    CvsegError
    """
    from cvseg.report.evaluation_table import evaluation_mapping, evaluation_table

    options = options_class(**values)
    for flag, target in (("--json", json_file), ("--html", html_file)):
        check_target(flag, target, (results, truth))
    if json_file and html_file and Path(json_file).resolve() == Path(html_file).resolve():
        raise OptionError(f"--json and --html both name {json_file}; expected two files. Name another one.")
    with _ProgressBar(quiet) as progress:
        evaluation = protocol.load().evaluate(Path(results), Path(truth), options, progress)
    click.echo(evaluation_table(evaluation, max(LEAST_WIDTH, shutil.get_terminal_size((100, 24)).columns)))
    if not quiet:
        if evaluation.overall_doc:
            click.echo(f"overall: {evaluation.overall_doc}.", err=True)
        if Path(results).resolve() == Path(truth).resolve():
            click.echo("note: the results are the truth itself; --results and --truth name the same place.", err=True)
        for remark in evaluation.remarks:
            click.echo(f"note: {remark}", err=True)
    if json_file:
        import json

        mapping = evaluation_mapping(evaluation, results=results, truth=truth)
        write_text(json_file, json.dumps(mapping, indent=1, allow_nan=False) + "\n")
    if html_file:
        from cvseg.report.evaluation_page import render_evaluation

        write_text(html_file, render_evaluation(evaluation, results=results, truth=truth, worst=worst))
    if not quiet and (written := [name for name in (json_file, html_file) if name]):
        click.echo(f"Written: {', '.join(written)}", err=True)


def check_target(flag: str, target: str | None, inputs: tuple[str, ...]) -> None:
    """Prove before the work that a file can be written, and that it is not one of the inputs.

    Raises
    ------
    OptionError, OutputError
    """
    if target is None:
        return
    if not target:
        raise OptionError(f"{flag} is empty; expected the name of a file to write.")
    if Path(target).is_dir():
        raise OptionError(f"{flag} {target} is a folder; expected the name of a file to write.")
    if any(Path(target).resolve() == Path(name).resolve() for name in inputs):
        raise OptionError(f"{flag} {target} is an input. Name another file.")
    from cvseg.video.replace_file import is_device, prepare_folder

    if not is_device(target):
        prepare_folder(Path(target).parent)


def write_text(target: str, text: str) -> None:
    """Write a file whole or not at all.

    Raises
    ------
    OutputError
    """
    from cvseg.video.replace_file import replacing

    with replacing(target) as partial:
        partial.write_text(text, encoding="utf-8")


class _ProgressBar:
    """A bar on standard error where that is a terminal; gives the function that moves it, or None."""

    def __init__(self, quiet: bool) -> None:
        import sys

        self._bar: Any = None
        self._wanted = not quiet and sys.stderr is not None and sys.stderr.isatty()

    def __enter__(self) -> Any:
        return self._move if self._wanted else None

    def _move(self, done: int, total: int) -> None:
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=total, unit=" frames", dynamic_ncols=True, leave=False)
        self._bar.update(done - self._bar.n)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
