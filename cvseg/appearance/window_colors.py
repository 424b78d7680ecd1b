"""Colours of the object against those around it, over a window of frames before and after."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.appearance.color_model import BINS, ColorModelOptions, log_ratio_table
from cvseg.arrays import array_module, common_device, device_of, to_device
from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import InputError
from cvseg.options import Options, option


@dataclass(frozen=True, kw_only=True)
class WindowColorOptions(Options):
    """Settings of `WindowColors`."""

    reach: int = option(8, "frames before and after whose colours count; larger follows changes later", low=0)
    near_px: float = option(
        40.0, "background this near the object counts in full; larger tells less apart", low=0.0, unit=" px"
    )
    rest: float = option(0.1, "weight of the farther background, and of everything seen so far", low=0.0, high=1.0)
    smoothing: int = option(0, "times the histograms are blurred over neighbouring bins; larger is blurrier", low=0)
    prior_px: float = option(
        50.0, "pixels of common colours added to both sides; larger needs more evidence to speak", low=1e-3, unit=" px"
    )
    limit: float = option(4.0, "largest log ratio, either way; larger lets colour speak louder", low=0)


def spread_colors(lab: Any) -> Any:
    """Give greyish colours more room: a and b become 64 a / (|a| + 32), in (-64, 64).

    Most colours of real scenes lie near grey, in a few bins of equal width.

    Parameters
    ----------
    lab : (h, w, 3) float32 L*a*b*

    Returns
    -------
    spread : (h, w, 3) float32 on the same device, for `color_histogram` and `color_log_ratio`

    Examples
    --------
    >>> spread_colors(np.float32([[[50, 8, -32]]])).tolist()
    [[[50.0, 12.800000190734863, -32.0]]]
    """
    xp = array_module(lab)
    spread = xp.array(lab, dtype=np.float32, order="C")
    ab = spread[..., 1:]
    spread[..., 1:] = np.float32(64) * ab / (xp.abs(ab) + np.float32(32))
    return spread


class WindowColors:
    """Learns the colours of masks frame by frame, and compares a frame's colours with those of the frames around it.

    Frames count with exp(-|distance| / reach), up to `reach` frames away; everything seen so far counts like one more
    frame with weight `rest`. The histograms of the last 2 reach + 1 frames are kept, 32 KB each.

    Parameters
    ----------
    options : WindowColorOptions; None takes the defaults

    Examples
    --------
    >>> lab = np.zeros((4, 8, 3), np.float32)
    >>> lab[:, :4] = 60, 50, 30
    >>> colors = WindowColors(WindowColorOptions(prior_px=1))
    >>> colors.add(0, lab, lab[..., 0] > 0)
    >>> ratio = colors.log_ratio(0, lab)
    >>> bool(ratio[0, 0] > 1), bool(ratio[0, 7] < -1)
    (True, True)
    """

    def __init__(self, options: WindowColorOptions | None = None) -> None:
        self.options = options or WindowColorOptions()
        self._table_options = ColorModelOptions(
            smoothing=self.options.smoothing, prior_px=self.options.prior_px, limit=self.options.limit
        )
        self.reset()

    def reset(self) -> None:
        """Forget all colours."""
        self._frames: dict[int, Any] = {}
        self._seen: Any = None
        self._count = 0
        self._last = -1

    def add(self, frame_index: int, lab: Any, mask: Any) -> None:
        """Learn the colours of one frame. Does not synchronise.

        Parameters
        ----------
        frame_index : larger than those before
        lab : (h, w, 3) float32 L*a*b*, as `lab_image` gives it
        mask : (h, w) bool, the object

        Raises
        ------
        ShapeError, DtypeError, DeviceMismatchError, InputError
        """
        from cvseg.kernels.appearance.color_histogram import color_histogram
        from cvseg.regions.distance import distance_transform

        common_device("WindowColors.add", lab, mask)
        check_shapes("WindowColors.add", lab=(lab, "h w 3"), mask=(mask, "h w"))
        check_dtype("WindowColors.add", "float32", lab=lab)
        check_dtype("WindowColors.add", "bool", mask=mask)
        if frame_index <= self._last:
            raise InputError(
                f"WindowColors.add: frame {frame_index} after frame {self._last}; expected frames in order, each once. "
                "Call reset() before another video."
            )
        xp = array_module(lab)
        # 0 is background in full, 0.5 teaches nothing: both in units of 1 + rest, since the near is also part of all.
        far = np.float32(0.5 - 0.5 * self.options.rest / (1 + self.options.rest))
        distance = distance_transform(~mask)
        weight = xp.where(distance < np.float32(self.options.near_px), np.float32(0), far)
        weight = xp.where(mask, np.float32(1), weight).astype(np.float32)
        histogram = color_histogram(spread_colors(lab), xp.ascontiguousarray(weight))
        seen = histogram.astype(np.float64)
        self._seen = seen if self._seen is None else to_device(self._seen, device_of(lab)) + seen
        self._count += 1
        self._last = int(frame_index)
        self._frames[self._last] = histogram
        self._frames = {i: kept for i, kept in self._frames.items() if i >= self._last - 2 * self.options.reach}

    def table(self, frame_index: int, device: Any = "cpu") -> Any:
        """Log ratio per colour bin as seen from a frame, (4096) float32 on `device`.

        Zeros before the first frame. To look up other pictures: ``color_log_ratio(spread_colors(lab), table)``.

        Raises
        ------
        InputError
            for a frame so far back that its window is no longer kept.
        """
        reach, rest = self.options.reach, self.options.rest
        if self._seen is None:
            return to_device(np.zeros(BINS**3, np.float32), device)
        if frame_index < self._last - reach:
            raise InputError(
                f"WindowColors: frame {frame_index} asked after frame {self._last}; expected at most {reach} frames "
                "back. Ask earlier, or set a larger reach."
            )
        histograms, weights = [to_device(self._seen, device)], [rest / self._count]
        for i, histogram in sorted(self._frames.items()):
            distance = abs(i - frame_index)
            if distance <= reach:
                histograms.append(to_device(histogram, device))
                weights.append(math.exp(-distance / max(reach, 1)))
        return log_ratio_table(histograms, weights, self._table_options)

    def log_ratio(self, frame_index: int, lab: Any) -> Any:
        """How much more the colours of a frame speak for the object than for what is around it.

        Parameters
        ----------
        frame_index : at most `reach` before the last frame added; frames that are not yet added do not count
        lab : (h, w, 3) float32 L*a*b*

        Returns
        -------
        ratio : (h, w) float32 in [-limit, limit] on the same device, natural logarithm; 0 before the first frame

        Raises
        ------
        ShapeError, DtypeError, InputError
        """
        from cvseg.kernels.appearance.color_log_ratio import color_log_ratio

        check_shapes("WindowColors.log_ratio", lab=(lab, "h w 3"))
        check_dtype("WindowColors.log_ratio", "float32", lab=lab)
        table = self.table(frame_index, device_of(lab))
        return color_log_ratio(spread_colors(lab), table)
