"""Paths: where a moving thing is at a frame. Closed forms, so that any frame can be asked for by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """The manner of a motion.

    Attributes
    ----------
    pace : speed, as a share of the ordinary one
    swing : how far it goes up and down, in frame heights
    period : frames per swing
    shape : "wave", "step" (two footfalls a swing) or "hop" (a thrown ball)
    lean : how far it leans with the swing, in radians
    turns : 2 rolls without slipping, 0 does not turn
    """

    pace: float
    swing: float
    period: float
    shape: str = "wave"
    lean: float = 0.0
    turns: float = 0.0


PATHS: dict[str, Style] = {
    "walk": Style(0.8, 0.012, 28, "step", lean=0.010),
    "gallop": Style(0.9, 0.030, 20, lean=0.09),
    "glide": Style(0.8, 0.020, 70, lean=0.05),
    "drive": Style(1.9, 0.003, 9, lean=0.010),
    "roll": Style(1.2, 0.0, 10, turns=2.0),
    "bounce": Style(1.0, 0.130, 26, "hop", turns=1.0),
    "spin": Style(0.9, 0.060, 60, turns=0.8),
    "float": Style(0.7, 0.080, 80, turns=0.3),
}

REST_PERIOD = 50  # frames from one departure to the next of an object that stops and goes
MOVING_SHARE = 0.6  # of that period


@dataclass(frozen=True)
class Course:
    """The way of one object through the scene.

    Attributes
    ----------
    style : key of `PATHS`
    start_x, level : where its centre is at frame 0, in frame heights from the middle
    velocity : frame heights per frame, negative to the left
    half_width : it leaves the scene at this distance from the middle and enters again at the other side
    height : its own height, in frame heights
    phase : radians, where in its swing it starts
    rests : it stops and goes
    """

    style: str
    start_x: float
    level: float
    velocity: float
    half_width: float
    height: float
    phase: float
    rests: bool


def place_at(course: Course, frame: int) -> tuple[float, float, float, int]:
    """Centre x, centre y (frame heights from the middle), angle in radians, and how often it has entered again."""
    style = PATHS[course.style]
    moved = effective_frames(course, frame)
    travelled = course.velocity * moved
    across = course.start_x + travelled + course.half_width
    passes = math.floor(across / (2 * course.half_width))
    x = across - passes * 2 * course.half_width - course.half_width

    # A swing belongs to the motion: what rests does not bob.
    cycle = (moved / style.period if course.velocity else 0.0) + course.phase / (2 * math.pi)
    turn = 2 * math.pi * cycle
    if style.shape == "hop":
        part = cycle % 1.0
        y = course.level - style.swing * 4 * part * (1 - part)
    elif style.shape == "step":
        y = course.level - style.swing * abs(math.sin(turn))
    else:
        y = course.level + style.swing * math.sin(turn)
    angle = style.lean * math.sin(turn + 0.7) + style.turns * travelled / course.height
    return x, y, angle, abs(passes)


def effective_frames(course: Course, frame: int) -> float:
    """Frames of motion up to `frame`: fewer than `frame` while the object rests."""
    if not course.rests:
        return float(frame)
    periods, within = divmod(frame, REST_PERIOD)
    part = min(1.0, within / (MOVING_SHARE * REST_PERIOD))
    return REST_PERIOD * (periods + part * part * (3 - 2 * part))
