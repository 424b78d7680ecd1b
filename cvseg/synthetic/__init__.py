"""Rendered clips with exact masks, flow and tracks: the demo, the tests and the benchmarks use them."""

from cvseg.synthetic.clip import SyntheticClip, SyntheticFrame, TrueTrack, render_clip
from cvseg.synthetic.options import ClipOptions
from cvseg.synthetic.scenes import SCENES
from cvseg.synthetic.suite import SUITE

__all__ = ["SCENES", "SUITE", "ClipOptions", "SyntheticClip", "SyntheticFrame", "TrueTrack", "render_clip"]
