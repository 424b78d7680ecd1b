"""Makes the pictures of the page on the particle filter: `python docs/tracking/images/make_particle_images.py`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from cvseg.report.particle_picture import draw_particles
from cvseg.synthetic import ClipOptions, render_clip
from cvseg.tracking import ParticleTracker

HERE = Path(__file__).resolve().parent
CLIP = ClipOptions(size_hw=(240, 427), objects=1, cast=("coffee",), background="lawn", frames=110, speed=1.2, seed=6)
WALL = slice(240, 340)  # columns: wide enough to hide all of it
SHOWN = 6


def walled(image):
    picture = image.copy()
    rows = np.arange(len(picture))[:, None]
    columns = np.arange(WALL.start, WALL.stop) + rows // 12 % 2 * 12
    joints = (rows % 12 < 2) | (columns % 24 < 2)
    picture[:, WALL] = np.where(joints[..., None], 150, 112)
    return picture


def main():
    clip = render_clip(CLIP)
    tracker, drawn, hidden = ParticleTracker(seed=1), [], []
    for frame in clip:
        image = walled(frame.image)
        if frame.index == 0:
            tracker.start(0, image, [frame.tracks[0].box_xyxy], [frame.labels == frame.tracks[0].id])
        else:
            tracker.update(frame.index, image)
        drawn.append(draw_particles(image, tracker))
        x0, _, x1, _ = frame.tracks[0].box_xyxy
        hidden.append(x0 >= WALL.start and x1 <= WALL.stop)
    middle = int(np.mean(np.flatnonzero(hidden)))
    places = np.linspace(max(0, middle - 36), min(len(drawn) - 1, middle + 36), SHOWN).astype(int)
    height, width = CLIP.size_hw
    sheet = Image.new("RGB", (3 * width + 12, 2 * height + 6), "white")
    for i, place in enumerate(places):
        sheet.paste(Image.fromarray(drawn[place]), (i % 3 * (width + 6), i // 3 * (height + 6)))
    sheet.save(HERE / "particle_cloud.jpg", quality=82, optimize=True)


if __name__ == "__main__":
    main()
