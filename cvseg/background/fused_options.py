"""Settings of the fused background model."""

from __future__ import annotations

from dataclasses import dataclass

from cvseg.options import Options, option


@dataclass(frozen=True, kw_only=True)
class FusedBackgroundOptions(Options):
    """Settings of `FusedBackground`."""

    modes: int = option(3, "colours per pixel; larger knows more of leaves and water, and needs memory", low=2, high=8)
    learning_rate: float = option(
        0.02, "share of a frame in the background, after the first frames; larger follows light faster", low=0, high=1
    )
    threshold: float = option(3.0, "distance with probability one half; larger sees less", low=0.1, unit=" sigma")
    smallest_sigma: float = option(
        2.5, "least noise that is believed; larger sees less", low=0.1, high=128, unit=" grey levels"
    )
    noise_factor: float = option(2.2, "least sigma in units of the picture's noise; larger sees less", low=0)
    neighbours: float = option(
        0.5, "how far the background of neighbours explains a pixel; larger sees less near edges", low=0, high=1
    )
    flicker_free: float = option(
        0.1, "threshold crossings per frame that are no flicker; larger sees more in moving leaves", low=0, high=1
    )
    flicker_gain: float = option(8.0, "widening of sigma by flicker; larger sees less in moving leaves", low=0)
    faint: float = option(
        0.0,
        "probability one half where the differences of a window are so many times their usual size, such as 2.3: finds "
        "things of little contrast, and more false alarms; larger sees less, 0 turns it off",
        low=0,
    )
    faint_window: int = option(2, "pixels around each, for that; larger sees fainter, and blurrier", low=1, unit=" px")
    faint_sigma: float = option(
        2.0, "least usual difference that is believed; larger sees less", low=0.1, unit=" grey levels"
    )
    established: int = option(8, "frames before another colour counts as background as well; larger: later", low=1)
    established_share: float = option(0.3, "and this share of the background's age; larger: later", low=0)
    takeover: int = option(
        6, "frames that a colour must be older than the background to replace it; larger keeps ghosts longer", low=1
    )
    age_last: int = option(
        300, "frames after which the age of a colour no longer counts; larger keeps standing people longer", low=2
    )
    shadow_darkest: float = option(0.5, "deepest shadow, times the background; larger allows less shadow", low=0)
    shadow_lightest: float = option(0.95, "palest shadow, times the background; 0 turns shadows off", low=0)
    shadow_chroma: float = option(
        2.0, "how much the colour of a shadow may differ; larger sees more shadow", low=0.01, unit=" sigma"
    )
    shadow_weight: float = option(0.7, "how much a shadow lowers the probability; 0 makes it foreground", low=0, high=1)
    motion: bool = option(True, "use optical flow; off is faster, and loses slow objects and those of the first frame")
    steady: bool = option(True, "move pictures of a shaking camera onto the background; needs `motion`")
    motion_height: int = option(270, "flow is computed at about this height; larger is slower", low=32, unit=" px")
    motion_gain: float = option(1.5, "logit of clear motion; larger trusts motion against colours", low=0)
    motion_window: int = option(2, "pixels around each that motion is judged by; larger is coarser", low=1, unit=" px")
    memory: float = option(0.3, "share of the last frame's logit, moved along; larger is calmer and slower", low=0)
    blind_memory: float = option(0.9, "the same where the background is not known", low=0, high=1)
    smooth_radius: int = option(4, "window of the edge-aware smoothing; larger is smoother", low=1, high=64)
    smooth_epsilon: float = option(1e-3, "contrast that counts as an edge, squared; larger smooths more", low=1e-8)
    least_area: float = option(4e-4, "smallest object, as a share of the picture; larger loses small ones", low=0)
    hole_area: float = option(3e-3, "largest hole that is filled, as a share of the picture", low=0, high=1)
