"""Draws the picture of docs/objects/explain.md from a rendered clip: `python docs/objects/make_pictures.py`."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cvseg.cli.__main__ import cli
from cvseg.synthetic import SCENES, render_clip
from cvseg.video import PngSequenceSink

HERE = Path(__file__).resolve().parent
SCENE, SIZE_HW, FRAMES, SHOWN = "crossing", (240, 426), 24, 12


def main() -> None:
    clip = render_clip(dataclasses.replace(SCENES[SCENE], size_hw=SIZE_HW, frames=FRAMES))
    with tempfile.TemporaryDirectory() as folder:
        frames, out = Path(folder, "frames"), Path(folder, "out")
        with PngSequenceSink(frames) as sink:
            for frame in clip.frames():
                sink.write(frame.image, frame)
        words = ["segment", str(frames), "-o", str(out), "--explain", "--no-overlay", "-q"]
        cli(words, standalone_mode=False)
        picture = sorted((out / "explain").iterdir())[SHOWN]
        (HERE / "images").mkdir(exist_ok=True)
        shutil.copyfile(picture, HERE / "images" / "explain.jpg")


if __name__ == "__main__":
    main()
