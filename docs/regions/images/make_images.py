"""Makes the picture of docs/regions: ``python docs/regions/images/make_images.py``."""

from pathlib import Path

import numpy as np
from PIL import Image

from cvseg import regions
from cvseg.synthetic.photographs import load_photograph

HERE = Path(__file__).parent


def main() -> None:
    image = np.asarray(load_photograph("coins.png"))
    gray = (image if image.ndim == 2 else image.mean(axis=2)).astype(np.uint8)
    # Bright against what lies around: the opening with a disc wider than a coin is the background.
    mask = regions.top_hat(gray, regions.disc(35)) > 45
    cleaned = regions.clear_border(regions.remove_small_regions(regions.fill_holes(mask), 200))
    labels, count = regions.label_components(cleaned)
    distance = regions.distance_transform(cleaned)
    colors = np.random.default_rng(1).integers(60, 256, (count + 1, 3)).astype(np.uint8)
    colors[0] = 0
    panels = [
        np.repeat(gray[..., None], 3, axis=2),
        np.repeat(mask[..., None] * np.uint8(255), 3, axis=2),
        colors[labels],
        np.repeat((255 * distance / distance.max()).astype(np.uint8)[..., None], 3, axis=2),
    ]
    picture = np.concatenate((np.concatenate(panels[:2], axis=1), np.concatenate(panels[2:], axis=1)))
    Image.fromarray(picture).save(HERE / "coins.jpg", quality=80)


if __name__ == "__main__":
    main()
