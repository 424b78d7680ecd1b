"""Where a film is cut, and which of its frames say nothing: flashes, black frames, repeated frames."""

from cvseg.shots.frame_links import BROKEN, REPEAT, SEEN, FrameLinks, LinkedFrame
from cvseg.shots.pair_likeness import PairLikeness, pair_likeness
from cvseg.shots.steady_light import SteadyLight

__all__ = ["BROKEN", "REPEAT", "SEEN", "FrameLinks", "LinkedFrame", "PairLikeness", "SteadyLight", "pair_likeness"]
