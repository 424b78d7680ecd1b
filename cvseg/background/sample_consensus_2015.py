"""Samples of colour and texture per pixel, with limits and learning rates that tune themselves (St-Charles 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.arrays import array_module
from cvseg.background.model import BackgroundModel
from cvseg.background.result import BackgroundResult
from cvseg.options import Options, option


@dataclass(frozen=True, kw_only=True)
class SampleConsensusOptions(Options):
    """Settings of `SampleConsensus`."""

    samples: int = option(
        20, "of each pixel; larger knows more of moving water, and needs memory and time", low=2, high=255
    )
    color_distance: float = option(
        30.0, "within which a sample agrees, at reach 1; larger sees less", low=1, high=85, unit=" grey levels"
    )
    bit_distance: int = option(3, "unequal texture bits of 16 that agree always; larger sees less", low=0, high=16)
    texture_step: int = option(
        3, "least difference that is texture; larger ignores more noise", low=0, high=64, unit=" grey levels"
    )
    long_memory: int = option(100, "of what a pixel tunes itself by; larger tunes slower", low=2, unit=" frames")
    short_memory: int = option(25, "as long_memory, for quick changes", low=1, unit=" frames")
    least_patience: float = option(
        2.0, "fewest frames between two updates of a pixel; larger keeps people who stand longer", low=1, high=1024
    )
    most_patience: float = option(256.0, "most frames between two updates", low=1, high=65536)
    ghost_first: int = option(
        8, "frames that foreground must stand to replace a background never seen; larger keeps ghosts longer", low=1
    )
    ghost_share: float = option(
        1.0,
        "frames more per frame that agreed with the background; larger trusts it more, and keeps ghosts longer",
        low=0,
    )
    ghost_last: int = option(300, "most frames it takes; larger keeps ghosts, and people who stand, longer", low=1)
    still_levels: float = option(
        4.0, "change from frame to frame that is none; larger takes more for ghosts", low=0, unit=" grey levels"
    )
    flood_share: float = option(
        0.6, "foreground in a frame after which all pixels learn: the light has changed; larger waits", low=0.05, high=1
    )
    shadow_darkest: float = option(
        0.75, "deepest shadow, times the background; larger allows less shadow, 1 turns shadows off", low=0, high=1
    )
    shadow_levels: float = option(
        10.0, "how much the colour of a shadow may differ; larger sees more shadow", low=0, unit=" grey levels"
    )
    plate_rate: float = option(0.05, "share of a frame in the background picture; larger is fresher", low=0, high=1)
    smooth_radius: int = option(
        4,
        "the mask is the majority of a window this far around; larger loses smaller things",
        low=0,
        high=7,
        unit=" px",
    )


class SampleConsensus(BackgroundModel):
    """Background of a camera that stands still, as samples of what each pixel has shown.

    Parameters
    ----------
    options : SampleConsensusOptions; None takes the defaults

    Notes
    -----
    5 bytes a pixel for each of `samples`, and 57 more: 157 with the default. Random choices are a hash of the frame and
    the pixel: equal runs give equal bits on every device. Filling holes of the mask synchronises a GPU.

    Departures from the paper: a texture pattern of brightness alone, compared as a whole; 20 samples instead of 50;
    darker copies of the background are shadow; foreground that stands is taken up, sooner where
    the background has hardly been seen; when most of
    the picture turns to foreground at once, everything learns. Copies for neighbours are fetched by them.

    Handing samples to neighbours at random is the subject of patents in some countries: see the page of this method
    before selling something with it. It is not the default.

    References
    ----------
    [StCharles2015]_; [Bilodeau2013]_ for the texture patterns; [BarnichVanDroogenbroeck2011]_ for the samples.

    Examples
    --------
    >>> model = SampleConsensus()
    >>> image = np.full((24, 40, 3), 90, np.uint8)
    >>> for _ in range(5):
    ...     result = model.update(image)
    >>> image[:, 20:] = 200
    >>> model.update(image).mask[12, ::8].astype(int).tolist()
    [0, 0, 0, 1, 1]
    """

    method = "sample_consensus"

    def __init__(self, options: SampleConsensusOptions | None = None) -> None:
        super().__init__(options or SampleConsensusOptions())

    def _begin(self, image: Any) -> None:
        from cvseg.kernels.background.sample_begin import sample_begin
        from cvseg.kernels.background.sample_consensus import first_maps
        from cvseg.kernels.background.texture_bits import EDGE, REACH, texture_bits

        xp = array_module(image)
        height, width = image.shape[:2]
        planes, bits = texture_bits(image, np.int32(self.options.texture_step))
        colors, patterns = sample_begin(planes, bits, np.int32(width), np.int32(self.options.samples))
        light = planes[3, REACH : REACH + height, EDGE : EDGE + width]
        self._arrays = {
            "colors": colors,
            "patterns": patterns,
            "maps": first_maps(xp, image, self.options.least_patience),
            "last_mask": xp.zeros((height, width), np.uint8),
            "blink": xp.zeros((height, width), np.uint8),
            "last_light": xp.ascontiguousarray(light.copy()),
            "crowd": xp.zeros(1, np.int32),
            "last_raw": xp.zeros((height, width), np.uint8),
        }

    def _settings(self, chance: float, pixels: int) -> tuple[np.float32, ...]:
        """In the order of the kernel's SETTINGS."""
        options = self.options
        values = (
            chance,
            options.color_distance,
            options.bit_distance,
            1 / options.long_memory,
            1 / options.short_memory,
            options.least_patience,
            max(options.most_patience, options.least_patience),
            options.ghost_first,
            options.ghost_share,
            options.ghost_last,
            options.still_levels,
            options.flood_share * pixels,
            options.shadow_darkest,
            options.shadow_levels,
            options.plate_rate if chance < 0 else chance,
        )
        return tuple(np.float32(value) for value in values)

    def _compare(self, image: Any, learning_rate: float | None) -> BackgroundResult:
        from cvseg.kernels.background.mask_vote import ALL, ANY, MAJORITY, mask_vote
        from cvseg.kernels.background.sample_consensus import sample_consensus
        from cvseg.kernels.background.sample_spread import sample_spread
        from cvseg.kernels.background.texture_bits import texture_bits
        from cvseg.regions import fill_holes

        learns = learning_rate is None or learning_rate > 0
        self._numbers["frames"] += learns
        frames, state = int(self._numbers["frames"]), self._arrays
        frame = np.uint32(frames & 0xFFFFFFFF)
        chance = -1.0 if learning_rate is None else learning_rate
        settings = self._settings(chance, image.shape[0] * image.shape[1])
        planes, bits = texture_bits(image, np.int32(self.options.texture_step))
        samples = state["colors"], state["patterns"]
        memory = state["maps"], state["last_mask"], state["blink"], state["last_light"], state["crowd"]
        foreground, raw, shadow, background, pushes, *_ = sample_consensus(
            planes, bits, *samples, *memory, frame, *settings
        )
        if learns:
            sample_spread(pushes, planes, bits, *samples, frame)
        closed = mask_vote(mask_vote(raw, np.int32(1), ANY), np.int32(1), ALL)
        mask = fill_holes(closed.view(bool)).view(np.uint8) | raw
        if self.options.smooth_radius:
            mask = mask_vote(mask, np.int32(self.options.smooth_radius), MAJORITY)
        if learns:
            near = mask_vote(mask | state["last_mask"], np.int32(3), ANY)
            # What changes back and forth, away from what moves, is moving water and leaves.
            state["blink"] = (raw ^ state["last_raw"]) & (1 - near)
            state["last_mask"], state["last_raw"] = mask.copy(), raw
        return BackgroundResult(foreground, mask.view(bool), background, shadow.view(bool), frames)
