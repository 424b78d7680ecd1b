"""The stage of a rendered clip: its layers from back to front, and the matrix of each at any frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvseg.synthetic.backgrounds import BACKGROUNDS, background_layer
from cvseg.synthetic.camera import ROTATE_REACH, Camera
from cvseg.synthetic.cut_outs import CUT_OUTS, cut_out_layer
from cvseg.synthetic.options import ClipOptions
from cvseg.synthetic.paths import PATHS, Course, place_at
from cvseg.synthetic.scenery import caption_layer, grass_layer, pillar_layer, shadow_layer
from cvseg.synthetic.water import Water, water_below, wave_phases

BASE_VELOCITY = 0.0110  # frame heights per frame at speed 1
# Where an object starts, as a share of the half view against its direction: below 1 it is in the picture at once.
START_SHARES = (0.55, 0.00, 1.28, 0.85, 0.20, 0.45, 1.10, 0.65)
SHADOW_OFFSET_XY = (0.022, 0.030)
PILLAR_X = 0.20
NEARNESS = {"pillar": 1.0, "grass": 0.5}


@dataclass(frozen=True)
class Layer:
    """One picture of the stage.

    Attributes
    ----------
    name : cut-out or scenery, for the truth record
    texture : (h, w, 4) float32, RGB multiplied by alpha
    texels_per_unit : texture pixels per frame height
    course : its motion, None when it stands
    place_xy : where its centre stands, or how far it lies from the course (a shadow)
    number : 1..n for the objects; 0 belongs to the background; -1 leaves the pixel to what lies below
    nearness : see `Camera.matrix_at`
    on_screen : fixed to the picture, not to the world
    water : makes the texture anew for each frame
    """

    name: str
    texture: NDArray[np.float32]
    texels_per_unit: float
    course: Course | None = None
    place_xy: tuple[float, float] = (0.0, 0.0)
    number: int = 0
    nearness: float = 0.0
    on_screen: bool = False
    water: Water | None = None

    def texture_at(self, frame: int) -> NDArray[np.float32]:
        """The picture of the layer at a frame, (h, w, 4) float32."""
        return self.texture if self.water is None else self.water.texture_at(frame)

    def label_at(self, frame: int, objects: int) -> int:
        """Object id at a frame. One that has left and enters again is a new object."""
        if self.number < 1 or self.course is None:
            return 0
        return self.number + objects * place_at(self.course, frame)[3]

    def matrix_at(self, frame: int, camera: Camera, size_hw: tuple[int, int]) -> NDArray[np.float64]:
        """Texture (column, row) to frame (x, y), as a (3, 3) matrix."""
        middle_x, middle_y = (self.texture.shape[1] - 1) / 2, (self.texture.shape[0] - 1) / 2
        if self.on_screen:
            return np.array([[1.0, 0, self.place_xy[0]], [0, 1.0, self.place_xy[1]], [0, 0, 1.0]])
        x, y, angle = self.place_xy[0], self.place_xy[1], 0.0
        if self.course is not None:
            course_x, course_y, angle, _ = place_at(self.course, frame)
            x, y = x + course_x, y + course_y
        cosine, sine = math.cos(angle) / self.texels_per_unit, math.sin(angle) / self.texels_per_unit
        to_world = np.array(
            [
                [cosine, -sine, x - cosine * middle_x + sine * middle_y],
                [sine, cosine, y - sine * middle_x - cosine * middle_y],
                [0.0, 0.0, 1.0],
            ]
        )
        return camera.matrix_at(frame, size_hw, self.nearness) @ to_world


def build_camera(options: ClipOptions) -> Camera:
    rng = np.random.default_rng([options.seed, 1])
    return Camera(options.camera, options.camera_motion, tuple(rng.uniform(0, 2 * math.pi, 12).tolist()))


def build_layers(options: ClipOptions, camera: Camera) -> list[Layer]:
    """All layers of the clip, back to front. Textures are made for the given frame size."""
    height, width = options.size_hw
    aspect = width / height
    reach_x, reach_y, angle = camera.reach()
    turned = math.sin(min(angle, math.pi / 2)) * math.hypot(aspect, 1) / 2
    near = 1 + options.parallax
    # Half of what the camera may ever see, in frame heights, and two pixels for the bilinear sampling.
    half_x = aspect / 2 + reach_x * near + turned + 2 / height
    half_y = 0.5 + reach_y * near + turned + 2 / height

    background = background_layer(
        BACKGROUNDS[options.background], round(2 * half_x * height), round(2 * half_y * height), height
    )
    layers = [Layer("background", background, height)]
    if options.water:
        layers.append(_water_layer(options, background))
    if options.parallax:
        texture = grass_layer(round(2 * half_x * height), height)
        layers.append(Layer("grass", texture, height, None, (0.0, 0.5), 0, options.parallax * NEARNESS["grass"]))
    layers += _object_layers(options, half_x)
    if options.occluder:
        texture = pillar_layer(round(2 * half_y * height), height)
        place = (PILLAR_X * aspect, 0.0)
        layers.append(Layer("pillar", texture, height, None, place, 0, options.parallax * NEARNESS["pillar"]))
    if options.caption:
        texture = caption_layer(options.caption, height)
        place = (float(round(0.03 * height)), float(round(0.97 * height) - texture.shape[0]))
        layers.append(Layer("caption", texture, height, None, place, on_screen=True))
    return layers


def cast_of(options: ClipOptions) -> Sequence[str]:
    """Names of the objects, back to front."""
    names = options.cast or tuple(CUT_OUTS)
    return [names[i % len(names)] for i in range(options.objects)]


def _water_layer(options: ClipOptions, background: NDArray[np.float32]) -> Layer:
    height = options.size_hw[0]
    water, middle_y = water_below(background, height, wave_phases(np.random.default_rng([options.seed, 4])))
    return Layer("water", water.texture_at(0), height, None, (0.0, middle_y), water=water)


def _object_layers(options: ClipOptions, half_x: float) -> list[Layer]:
    height = options.size_hw[0]
    aspect = options.size_hw[1] / height
    layers = []
    for i, name in enumerate(cast_of(options)):
        cut_out = CUT_OUTS[name]
        # One generator per object: a further object does not change the others.
        rng = np.random.default_rng([options.seed, 2, i])
        again = i // len(options.cast or CUT_OUTS)
        size = options.size * cut_out.height * 0.75**again
        texture = cut_out_layer(cut_out, size * height)
        direction = 1 if i % 2 == 0 else -1
        if cut_out.faces_right and direction < 0:
            texture = np.ascontiguousarray(texture[:, ::-1])
        radius = math.hypot(texture.shape[0], texture.shape[1]) / 2 / height
        pace = PATHS[cut_out.path].pace * options.speed_spread ** (i / max(options.objects - 1, 1) - 0.5)
        velocity = direction * BASE_VELOCITY * options.speed * pace * rng.uniform(0.85, 1.15)
        start = -direction * START_SHARES[i % len(START_SHARES)] * aspect / 2 + rng.uniform(-0.04, 0.04)
        level = cut_out.level + rng.uniform(-0.015, 0.015) - 0.12 * again
        course = Course(
            style=cut_out.path,
            start_x=start,
            level=level,
            velocity=0.0 if options.motion == "still" else velocity,
            half_width=half_x + radius + ROTATE_REACH,
            height=size,
            phase=rng.uniform(0, 2 * math.pi),
            rests=options.motion == "stop_and_go",
        )
        if options.shadow:
            layers.append(Layer("shadow", shadow_layer(texture, height), height, course, SHADOW_OFFSET_XY, -1))
        layers.append(Layer(name, texture, height, course, (0.0, 0.0), i + 1))
    return layers
