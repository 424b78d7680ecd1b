"""Makes the pictures of the README from rendered clips: `python docs/images/make_images.py`. Nothing is retouched."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import av
import numpy as np
from PIL import Image

from cvseg.cli.__main__ import cli
from cvseg.synthetic import SCENES, render_clip
from cvseg.video import VideoFileSink

HERE = Path(__file__).resolve().parent
SIZE_HW = (480, 854)
FRAMES = 72
# File: scene, and the options of `cvseg segment` that are shown.
STRIPS = {
    "segment.jpg": ("crossing", []),
    "static_camera.jpg": ("shadow", ["--min-area", "0.2%"]),
    "fast.jpg": ("zoom", ["--preset", "fast"]),
}


def overlay_frames(folder):
    with av.open(str(folder / "overlay.mp4")) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def run(*words):
    cli([str(word) for word in words], standalone_mode=False)


def render(scene, path):
    clip = render_clip(dataclasses.replace(SCENES[scene], frames=FRAMES, size_hw=SIZE_HW))
    with VideoFileSink(path, clip.rate, codec="ffv1") as sink:
        for frame in clip.frames():
            sink.write(frame.image, frame)


def save_animation(frames, path, width=480):
    """Every second frame, so that the file stays small."""
    height = round(width * frames[0].shape[0] / frames[0].shape[1])
    pictures = [Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS) for frame in frames[::2]]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=80, loop=0, quality=62, method=6)


def save_strip(frames, path, width=320, count=3):
    places = np.linspace(len(frames) * 0.25, len(frames) * 0.85, count).astype(int)
    height = round(width * frames[0].shape[0] / frames[0].shape[1])
    strip = Image.new("RGB", (count * width + (count - 1) * 6, height), "white")
    for i, place in enumerate(places):
        picture = Image.fromarray(frames[place]).resize((width, height), Image.Resampling.LANCZOS)
        strip.paste(picture, (i * (width + 6), 0))
    strip.save(path, quality=80, optimize=True)


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        run("demo", "-o", folder / "demo")
        save_animation(overlay_frames(folder / "demo"), HERE / "demo.webp")
        for name, (scene, options) in STRIPS.items():
            video, out = folder / f"{scene}.nut", folder / scene
            render(scene, video)
            run("segment", video, "-o", out, *options, "-q")
            save_strip(overlay_frames(out), HERE / name)


if __name__ == "__main__":
    main()
