"""`ClipOptions`: everything that can be asked of a rendered clip."""

from __future__ import annotations

from dataclasses import dataclass

from cvseg.errors import OptionError, nearest_name
from cvseg.options import Options, option

CAMERAS = ("static", "pan", "zoom", "rotate", "shake", "tour")
MOTIONS = ("natural", "stop_and_go", "still")


@dataclass(frozen=True, kw_only=True)
class ClipOptions(Options):
    """What a clip shows. A clip of 10 frames is the start of the same clip with 100 frames.

    Lengths are stated in frame heights where they are not pixels, so that another `size_hw` shows the same scene.

    Raises
    ------
    OptionError
    """

    size_hw: tuple[int, int] = option((480, 854), "height and width of the frames", unit=" px")
    frames: int = option(90, "number of frames", low=1)
    objects: int = option(4, "number of moving cut-outs; beyond eight the cast repeats, smaller", low=0, high=64)
    cast: tuple[str, ...] = option((), "names of the cut-outs, back to front; empty takes the first of CUT_OUTS")
    background: str = option("garage", "name in BACKGROUNDS")
    size: float = option(1.0, "larger objects; 1 is a fifth to three quarters of the frame height", low=0.1, high=4.0)
    motion: str = option(
        "natural", "natural: each in its own way; stop_and_go: with rests; still: none moves", choices=MOTIONS
    )
    speed: float = option(
        1.0, "faster objects; 1 is about a hundredth of the frame height per frame", low=0.0, high=20.0
    )
    speed_spread: float = option(
        1.0,
        "how many times as fast the front object is as the back one, the others between; 1: all by their nature",
        low=1.0,
        high=100.0,
    )
    camera: str = option("static", "how the camera moves; tour joins all the others", choices=CAMERAS)
    camera_motion: float = option(1.0, "more camera motion; 1 is a quiet hand", low=0.0, high=10.0)
    parallax: float = option(
        0.0, "more depth: foreground scenery slides over the background; 0 is flat", low=0.0, high=2.0
    )
    occluder: bool = option(False, "a standing pillar in front of everything")
    water: bool = option(False, "below the middle the background is rippling water; its waves move, its truth does not")
    shadow: bool = option(False, "each object casts a soft shadow that belongs to the background")
    noise_sigma: float = option(
        2.0, "more sensor noise, independent in each frame", low=0.0, high=64.0, unit=" grey levels"
    )
    light_change: float = option(
        0.0, "share by which the light slowly goes down and up again, period 100 frames", low=0.0, high=0.9
    )
    flicker: float = option(0.0, "share by which the light flickers from frame to frame", low=0.0, high=0.5)
    caption: str = option("", "text fixed on the screen, in the lower left corner")
    rate: int = option(25, "frames per second", low=1, high=1000)
    seed: int = option(0, "another seed is another take: other starts, speeds, shake and noise", low=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        from cvseg.synthetic.backgrounds import BACKGROUNDS
        from cvseg.synthetic.cut_outs import CUT_OUTS

        size = tuple(self.size_hw)
        if len(size) != 2 or not all(isinstance(n, int) and 16 <= n <= 8192 for n in size):
            raise OptionError(f"ClipOptions: size_hw is {self.size_hw!r}; expected two whole numbers from 16 to 8192.")
        if self.background not in BACKGROUNDS:
            raise OptionError(
                f"ClipOptions: background is {self.background!r}; {nearest_name(self.background, BACKGROUNDS)}"
            )
        for name in self.cast:
            if name not in CUT_OUTS:
                raise OptionError(f"ClipOptions: cast names {name!r}; {nearest_name(name, CUT_OUTS)}")
