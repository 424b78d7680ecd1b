"""Paths: where a moving thing is at a frame. Closed forms, so that any frame can be asked for by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

# Style of a path: swing of its height, in frame heights; frames per swing; how far it leans, in radians; shape of the
# swing; radians turned per frame height travelled, times the object's height (2 rolls without slipping).
PATHS: dict[str, tuple[float, float, float, str, float]] = {
    "walk": (0.012, 14.0, 0.010, "step", 0.0),
    "gallop": (0.030, 20.0, 0.090, "wave", 0.0),
    "glide": (0.020, 70.0, 0.050, "wave", 0.0),
    "drive": (0.003, 9.0, 0.010, "wave", 0.0),
    "roll": (0.000, 1.0, 0.000, "wave", 2.0),
    "bounce": (0.130, 26.0, 0.000, "hop", 1.0),
    "spin": (0.060, 60.0, 0.000, "wave", 0.8),
    "float": (0.080, 80.0, 0.000, "wave", 0.3),
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
    swing, period, lean, shape, turns = PATHS[course.style]
    travelled = course.velocity * effective_frames(course, frame)
    across = course.start_x + travelled + course.half_width
    passes = math.floor(across / (2 * course.half_width))
    x = across - passes * 2 * course.half_width - course.half_width

    # A swing belongs to the motion: what rests does not bob.
    cycle = effective_frames(course, frame) / period if course.velocity else 0.0
    turn = 2 * math.pi * cycle + course.phase
    if shape == "hop":
        part = (cycle + course.phase / (2 * math.pi)) % 1.0
        y = course.level - swing * 4 * part * (1 - part)
    elif shape == "step":
        y = course.level - swing * abs(math.sin(turn))
    else:
        y = course.level + swing * math.sin(turn)
    angle = lean * math.sin(turn + 0.7) + turns * travelled / course.height
    return x, y, angle, abs(passes)


def effective_frames(course: Course, frame: int) -> float:
    """Frames of motion up to `frame`: fewer than `frame` while the object rests."""
    if not course.rests:
        return float(frame)
    periods, within = divmod(frame, REST_PERIOD)
    part = min(1.0, within / (MOVING_SHARE * REST_PERIOD))
    return REST_PERIOD * (periods + part * part * (3 - 2 * part))
