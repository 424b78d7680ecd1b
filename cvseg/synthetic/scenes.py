"""Named scenes: what the demo, the tests and the accuracy benchmark show."""

from __future__ import annotations

from cvseg.synthetic.options import ClipOptions

SCENES: dict[str, ClipOptions] = {
    # The picture of the README: everything at once, at an ordinary strength.
    "demo": ClipOptions(
        background="street",
        cast=("horse", "coffee", "motorcycle", "astronaut"),
        objects=4,
        camera="tour",
        occluder=True,
        shadow=True,
        light_change=0.15,
        seed=1,
    ),
    "static_camera": ClipOptions(objects=4, background="garage", cast=("coffee", "horse", "star", "cat"), seed=2),
    "crossing": ClipOptions(objects=2, background="meadow", cast=("motorcycle", "cat"), camera="pan", seed=3),
    "stop_and_go": ClipOptions(
        objects=2, background="wall", cast=("horse", "coffee"), motion="stop_and_go", frames=150, seed=4
    ),
    "many_objects": ClipOptions(objects=10, background="wall", camera="shake", seed=5),
    "occluder": ClipOptions(
        objects=2, background="lawn", cast=("horse", "motorcycle"), occluder=True, camera="shake", seed=6
    ),
    "shadow": ClipOptions(objects=3, background="gravel", cast=("coin", "cat", "coffee"), shadow=True, seed=7),
    "light_change": ClipOptions(
        objects=3, background="garage", cast=("horse", "planet", "coin"), light_change=0.5, flicker=0.03, seed=8
    ),
    "noise": ClipOptions(objects=3, background="table", cast=("motorcycle", "star", "coin"), noise_sigma=12.0, seed=9),
    "zoom": ClipOptions(objects=2, background="garage", cast=("cat", "star"), camera="zoom", seed=10),
    "rotate": ClipOptions(objects=2, background="meadow", cast=("motorcycle", "planet"), camera="rotate", seed=11),
    "parallax": ClipOptions(
        objects=2,
        background="launch_pad",
        cast=("motorcycle", "star"),
        camera="pan",
        camera_motion=1.5,
        parallax=0.8,
        occluder=True,
        seed=12,
    ),
    "caption": ClipOptions(
        objects=2, background="garage", cast=("horse", "cat"), camera="pan", caption="LIVE  channel 7", seed=13
    ),
    "fast": ClipOptions(objects=2, background="wall", cast=("cat", "coin"), speed=3.5, seed=14),
    "little_texture": ClipOptions(
        objects=3, background="sky", cast=("planet", "coffee", "coin"), camera="pan", seed=15
    ),
    "nothing_moves": ClipOptions(objects=0, background="garage", flicker=0.01, seed=16),
    "camera_only": ClipOptions(objects=0, background="garage", camera="tour", seed=17),
}
