"""The suite: rendered scenes of every kind that an unknown video may be, to measure the automatic segmentation.

Each kind is there with a camera that stands and with one that moves, and with things on its easy and on its hard side.
"""

from __future__ import annotations

from cvseg.synthetic.options import ClipOptions
from cvseg.synthetic.scenes import SCENES

_MORE: dict[str, ClipOptions] = {
    # One thing, as most clips show it.
    "one_walker_pan": ClipOptions(objects=1, background="street", cast=("astronaut",), camera="pan", seed=101),
    "one_rider_followed": ClipOptions(
        objects=1, background="wall", cast=("motorcycle",), speed=0.7, camera="pan", camera_motion=2.5, seed=102
    ),
    "one_horse_followed": ClipOptions(
        objects=1, background="meadow", cast=("horse",), camera="pan", camera_motion=2.0, seed=103
    ),
    "one_horse_handheld": ClipOptions(objects=1, background="lawn", cast=("horse",), camera="shake", seed=104),
    # Small and large.
    "small_object": ClipOptions(objects=1, background="wall", cast=("coin",), size=0.6, seed=105),
    "small_object_handheld": ClipOptions(
        objects=1, background="meadow", cast=("cat",), size=0.4, camera="shake", camera_motion=2.0, seed=106
    ),
    "small_objects_pan": ClipOptions(
        objects=3, background="street", cast=("horse", "cat", "coffee"), size=0.45, camera="pan", seed=107
    ),
    "large_object": ClipOptions(objects=1, background="garage", cast=("astronaut",), size=1.2, speed=0.8, seed=108),
    "large_object_handheld": ClipOptions(
        objects=1, background="lawn", cast=("motorcycle",), size=1.7, speed=0.5, camera="shake", seed=109
    ),
    "large_objects_crossing_tour": ClipOptions(
        objects=2, background="street", cast=("horse", "cat"), size=1.7, camera="tour", seed=110
    ),
    "small_and_large_pan": ClipOptions(
        objects=2, background="garage", cast=("astronaut", "coin"), size=1.05, camera="pan", seed=111
    ),
    # Slow and fast.
    "slow_object": ClipOptions(objects=1, background="table", cast=("cat",), speed=0.35, seed=112),
    "slow_object_pan": ClipOptions(
        objects=1, background="launch_pad", cast=("planet",), speed=0.5, camera="pan", seed=113
    ),
    "fast_and_slow": ClipOptions(
        objects=3, background="garage", cast=("horse", "coin", "cat"), speed_spread=6.0, seed=114
    ),
    "fast_and_slow_handheld": ClipOptions(
        objects=3,
        background="street",
        cast=("coffee", "horse", "motorcycle"),
        speed_spread=6.0,
        camera="shake",
        camera_motion=2.0,
        seed=115,
    ),
    "fast_pan": ClipOptions(
        objects=2, background="wall", cast=("motorcycle", "cat"), speed=2.0, camera="pan", camera_motion=2.0, seed=116
    ),
    "stop_and_go_pan": ClipOptions(
        objects=2, background="street", cast=("horse", "cat"), motion="stop_and_go", camera="pan", seed=117
    ),
    "stop_and_go_handheld": ClipOptions(
        objects=3,
        background="lawn",
        cast=("coffee", "motorcycle", "cat"),
        motion="stop_and_go",
        camera="shake",
        seed=118,
    ),
    # Depth, and what stands in front.
    "parallax_handheld": ClipOptions(
        objects=2,
        background="garage",
        cast=("horse", "star"),
        camera="shake",
        camera_motion=2.5,
        parallax=0.6,
        seed=119,
    ),
    "parallax_strong_pan": ClipOptions(
        objects=1, background="lawn", cast=("horse",), camera="pan", camera_motion=2.0, parallax=1.2, seed=120
    ),
    "occluder_still_camera": ClipOptions(
        objects=2, background="meadow", cast=("motorcycle", "cat"), occluder=True, seed=121
    ),
    "occluder_pan": ClipOptions(
        objects=3, background="street", cast=("coffee", "horse", "coin"), occluder=True, camera="pan", seed=122
    ),
    # Captions.
    "caption_still_camera": ClipOptions(
        objects=2, background="lawn", cast=("horse", "planet"), caption="Saturday, 14:05", seed=123
    ),
    "caption_handheld": ClipOptions(
        objects=1, background="street", cast=("motorcycle",), camera="shake", caption="REC", camera_motion=2.0, seed=124
    ),
    "caption_followed": ClipOptions(
        objects=1,
        background="gravel",
        cast=("motorcycle",),
        speed=0.7,
        size=0.7,
        camera="pan",
        camera_motion=2.5,
        caption="Heat 3   01:27.4   lane 5",
        seed=125,
    ),
    # Shadows.
    "shadow_pan": ClipOptions(
        objects=2, background="gravel", cast=("horse", "coffee"), shadow=True, camera="pan", seed=126
    ),
    "shadow_handheld": ClipOptions(
        objects=2, background="table", cast=("motorcycle", "star"), shadow=True, camera="shake", seed=127
    ),
    # Water.
    "water": ClipOptions(objects=2, background="launch_pad", cast=("planet", "cat"), water=True, seed=128),
    "water_pan": ClipOptions(
        objects=2, background="garage", cast=("coffee", "cat"), water=True, camera="pan", seed=129
    ),
    "water_handheld": ClipOptions(
        objects=1, background="lawn", cast=("cat",), size=1.3, water=True, camera="shake", seed=130
    ),
    # Light and noise.
    "light_change_pan": ClipOptions(
        objects=2, background="street", cast=("horse", "coffee"), light_change=0.5, camera="pan", seed=131
    ),
    "flicker_handheld": ClipOptions(
        objects=2, background="garage", cast=("cat", "star"), flicker=0.08, camera="shake", seed=132
    ),
    "dim_and_noisy": ClipOptions(
        objects=2, background="wall", cast=("horse", "planet"), light_change=0.7, noise_sigma=8.0, seed=133
    ),
    "noise_handheld": ClipOptions(
        objects=2, background="lawn", cast=("motorcycle", "star"), noise_sigma=10.0, camera="shake", seed=134
    ),
    # Texture and colours.
    "little_texture_handheld": ClipOptions(
        objects=2, background="moon", cast=("planet", "coffee"), camera="shake", seed=135
    ),
    "like_the_background": ClipOptions(objects=2, background="table", cast=("horse", "coffee"), seed=136),
    # Many.
    "crowd": ClipOptions(objects=8, background="street", seed=137),
    "crowd_pan": ClipOptions(objects=7, background="meadow", size=0.8, camera="pan", seed=138),
    "many_zoom": ClipOptions(objects=4, background="gravel", camera="zoom", shadow=True, seed=139),
    "everything": ClipOptions(
        objects=4,
        background="street",
        cast=("coffee", "horse", "cat", "motorcycle"),
        camera="tour",
        camera_motion=1.5,
        occluder=True,
        shadow=True,
        water=True,
        parallax=0.4,
        noise_sigma=5.0,
        light_change=0.2,
        caption="channel 7",
        seed=140,
    ),
    # Nothing moves by itself: anything found is wrong.
    "empty_noise": ClipOptions(objects=0, background="lawn", noise_sigma=12.0, flicker=0.02, seed=141),
    "empty_handheld_caption": ClipOptions(
        objects=0, background="street", camera="shake", camera_motion=2.0, caption="LIVE", seed=142
    ),
    "empty_parallax": ClipOptions(objects=0, background="garage", camera="pan", parallax=0.6, occluder=True, seed=143),
}

SUITE: dict[str, ClipOptions] = {**SCENES, **_MORE}
