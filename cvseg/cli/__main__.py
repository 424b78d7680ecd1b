"""Entry of the `cvseg` command: finds the subcommand, and turns errors into one sentence and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

import cvseg
from cvseg.errors import CvsegError, nearest_name

# name: one line for `cvseg --help`. The command `name` is the object `command` of cvseg/cli/<name>.py.
COMMANDS = {
    "segment": "Segment and track the moving objects of a video.",
    "background": "What moves before a fixed camera: masks, events, the background; its state can be kept.",
    "flow": "Dense optical flow of two pictures or of a video.",
    "superpixels": "Small connected regions of a picture or video that keep to the edges and their numbers.",
    "supervoxels": "Regions of a video that go on through time, from small to large.",
    "grow": "Regions of a picture that grow from seeds, or by merging what is alike.",
    "track": "Follow the boxes of a detector over time: every object keeps its number.",
    "evaluate": "Measure results against the truth: masks, tracks, instances, flow and more.",
    "demo": "Render a clip with a known truth, segment it, and print the scores.",
    "doctor": "Check this installation and print the command that repairs each problem.",
    "warmup": "Compile all kernels now, so that later starts are quick.",
}


class LazyCommands(click.Group):
    """A click group that imports a subcommand only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"cvseg.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            ctx.fail(f"No such command '{name}'; {nearest_name(name, COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CvsegError as error:
            click.echo(f"cvseg: {error}", err=True)
            ctx.exit(2)
        except ImportError as error:  # MissingExtraError came above
            click.echo(
                f"cvseg: a package is missing or broken ({error}). 'cvseg doctor' prints the command that repairs it.",
                err=True,
            )
            ctx.exit(2)
        except BrokenPipeError:
            ctx.exit(141)  # whoever read our output has gone: 128 + SIGPIPE
        except OSError as error:
            click.echo(f"cvseg: a file or the terminal failed ({error}). Check the disk and the permissions.", err=True)
            ctx.exit(2)
        except KeyboardInterrupt:
            click.echo("cvseg: stopped.", err=True)
            ctx.exit(130)


@click.group(
    cls=LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="'cvseg COMMAND --help' lists the options of a command.",
)
@click.version_option(cvseg.__version__, "-V", "--version", message="cvseg %(version)s")
def cli() -> None:
    """Classical video segmentation: moving objects as masks and tracks, on the CPU or an NVIDIA GPU."""


def main() -> None:
    """Run the command line; the installed `cvseg` script calls this."""
    try:
        cli(prog_name="cvseg")
    finally:
        _drop_unwritable_output()


def _drop_unwritable_output() -> None:
    """Python writes what is left in standard output at its end, and would fail once more on a full disk."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
