"""`cvseg warmup`: compiles every kernel now, so that later starts find machine code."""

from __future__ import annotations

import time

import click

from cvseg.cli.segment import DEVICES, PRESETS

# Odd, and large enough for every level of a pyramid to exist.
SAMPLE_HW = (67, 99)


@click.command(name="warmup")
@click.option(
    "--device", type=click.Choice(DEVICES), default="auto", show_default=True, help="auto: a GPU if one can be used."
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def command(device: str, quiet: bool) -> None:
    """Compile all kernels and run a small clip through every preset. Takes seconds once; later starts are quick."""
    import numpy as np

    from cvseg.arrays import choose_device, to_device
    from cvseg.kernels import KERNELS
    from cvseg.pipeline import segment
    from cvseg.synthetic import ClipOptions, render_clip

    def say(text: str) -> None:
        if not quiet:
            click.echo(text)

    chosen = choose_device(device)
    began = time.perf_counter()
    for kernel in KERNELS.values():
        start = time.perf_counter()
        arguments = kernel.sample(np.random.default_rng(0), SAMPLE_HW)
        kernel(*(to_device(a, chosen) if isinstance(a, np.ndarray) else a for a in arguments))
        say(f"  {time.perf_counter() - start:6.2f} s  {kernel.name}")
    for preset in PRESETS:
        start = time.perf_counter()
        clip = render_clip(ClipOptions(size_hw=(96, 160), frames=6, objects=1, camera="pan"))
        for _ in segment(clip.frames(), preset=preset, device=chosen):
            pass
        say(f"  {time.perf_counter() - start:6.2f} s  preset {preset}")
    say(f"{len(KERNELS)} kernels are ready on {chosen} ({time.perf_counter() - began:.1f} s).")
