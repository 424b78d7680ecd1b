"""Makes the picture of what matching finds and the search loses: run me with Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from cvseg.flow import estimate_flow
from cvseg.report.flow_picture import flow_picture
from cvseg.synthetic import ClipOptions, render_clip

HERE = Path(__file__).resolve().parent
SIZE_HW = (240, 426)
INDEX = 20


def main() -> None:
    clip = render_clip(
        ClipOptions(
            size_hw=SIZE_HW, objects=5, background="street", camera="tour", camera_motion=4.0, speed=9.0, seed=42
        )
    )
    frame, following = clip[INDEX], clip.image_at(INDEX + 1)
    largest = float(np.hypot(frame.flow_xy[..., 0], frame.flow_xy[..., 1]).max())
    flows = {
        "truth": frame.flow_xy,
        "dis balanced": estimate_flow(frame.image, following),
        "cpm": estimate_flow(frame.image, following, method="cpm", preset="quality"),
    }
    for name, flow_xy in flows.items():
        print(f"{name}: {np.hypot(*(flow_xy - frame.flow_xy).transpose(2, 0, 1)).mean():.2f} px, largest {largest:.0f}")
    tiles = [frame.image, *(flow_picture(flow_xy, largest) for flow_xy in flows.values())]
    height, width = SIZE_HW
    sheet = Image.new("RGB", (2 * width, 2 * height))
    for i, tile in enumerate(tiles):
        sheet.paste(Image.fromarray(tile), (i % 2 * width, i // 2 * height))
    sheet.save(HERE / "coarse_to_fine_patchmatch_2016.jpg", quality=85)


if __name__ == "__main__":
    main()
