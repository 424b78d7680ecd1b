"""Colours of the foreground against colours of the background, learned from soft masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.arrays import array_module, common_device, device_of, to_device, to_host
from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import InputError, ShapeError
from cvseg.options import Options, option

BINS = 16  # per axis of L, a and b, as in kernels/appearance/color_bins.py
_FULL = 255.0  # a pixel that is certain counts this much


@dataclass(frozen=True, kw_only=True)
class ColorModelOptions(Options):
    """Settings of `ColorModel` and `log_ratio_table`."""

    decay: float = option(0.95, "what a frame keeps of the colours before it; larger remembers longer", low=0, high=1)
    smoothing: int = option(1, "times the histograms are blurred over neighbouring bins; larger is blurrier", low=0)
    prior_px: float = option(
        50.0, "pixels of common colours added to both sides; larger needs more evidence to speak", low=1e-3, unit=" px"
    )
    limit: float = option(4.0, "largest log ratio, either way; larger lets colour speak louder", low=0)


def log_ratio_table(histograms: Any, weights: Sequence[float] | None = None, options: Any = None) -> Any:
    """Log ratio of foreground and background per colour bin, from one or several frames.

    Parameters
    ----------
    histograms : (2, 4096) int32 or float arrays, one per frame, as `color_histogram` gives them: foreground evidence,
        background evidence; or one array (n, 2, 4096)
    weights : one number of at least 0 per histogram; None counts all alike
    options : ColorModelOptions; None takes the defaults. `decay` plays no part.

    Returns
    -------
    table : (4096) float32 in [-limit, limit], on the same device, for `color_log_ratio`. 0 for colours that neither
        side has shown, and everywhere as long as there is no evidence at all.

    Raises
    ------
    InputError, ShapeError
        for no histogram, one of another shape, or another number of weights.

    Notes
    -----
    Both sides are smoothed over bins, then mixed with `prior_px` pixels of the colours of both together: a side that
    has shown little says little, instead of "never seen here, so the other".
    """
    options = options or ColorModelOptions()
    if len(histograms) == 0:
        raise InputError("log_ratio_table: no histogram; expected at least one.")
    if weights is not None and len(weights) != len(histograms):
        raise InputError(f"log_ratio_table: {len(weights)} weights for {len(histograms)} histograms; expected as many.")
    common_device("log_ratio_table", *histograms)
    total = None
    for i, histogram in enumerate(histograms):
        if tuple(histogram.shape) != (2, BINS**3):
            raise ShapeError(f"log_ratio_table: a histogram is {tuple(histogram.shape)}; expected (2, {BINS**3}).")
        # float64: sums of whole numbers stay exact, so the order of frames hardly matters.
        weighted = histogram.astype(np.float64) * float(1.0 if weights is None else weights[i])
        total = weighted if total is None else total + weighted
    return _table(total, options)


def _table(evidence: Any, options: ColorModelOptions) -> Any:
    xp = array_module(evidence)
    counts = _smooth_bins(evidence.reshape(2, BINS, BINS, BINS), options.smoothing).reshape(2, -1)
    sides = counts.sum(axis=1)
    common = counts.sum(axis=0) / xp.maximum(sides.sum(), 1.0)
    prior = _FULL * options.prior_px
    # A trace in every bin, the same on both sides, so that the ratio of two zeros is 1.
    shares = (counts + prior * common) / (sides + prior)[:, None] + 1e-12
    return xp.clip(xp.log(shares[0] / shares[1]), -options.limit, options.limit).astype(np.float32)


def _smooth_bins(counts: Any, times: int) -> Any:
    """Blur with 1/4, 1/2, 1/4 along L, a and b; the edge bins keep what would fall outside."""
    xp = array_module(counts)
    for _ in range(times):
        for axis in (1, 2, 3):
            moved = xp.moveaxis(counts, axis, 0)
            below = xp.concatenate([moved[:1], moved[:-1]])
            above = xp.concatenate([moved[1:], moved[-1:]])
            counts = xp.moveaxis(0.25 * below + 0.5 * moved + 0.25 * above, 0, axis)
    return counts


class ColorModel:
    """Learns from frame to frame which colours belong to the foreground.

    Parameters
    ----------
    options : ColorModelOptions; None takes the defaults

    Examples
    --------
    >>> lab = np.zeros((4, 8, 3), np.float32)
    >>> lab[:, :4] = 60, 50, 30
    >>> probability = np.zeros((4, 8), np.float32)
    >>> probability[:, :4] = 1
    >>> model = ColorModel(ColorModelOptions(prior_px=1))
    >>> model.update(lab, probability)
    >>> ratio = model.log_ratio(lab)
    >>> bool(ratio[0, 0] > 1), bool(ratio[0, 7] < -1)
    (True, True)
    """

    def __init__(self, options: ColorModelOptions | None = None) -> None:
        self.options = options or ColorModelOptions()
        self.reset()

    def reset(self) -> None:
        """Forget all colours."""
        self._evidence: Any = None
        self._known: Any = None

    def update(self, lab: Any, probability: Any) -> None:
        """Learn one frame.

        Parameters
        ----------
        lab : (h, w, 3) float32 L*a*b*, as `lab_image` gives it
        probability : (h, w) float32 in [0, 1] of being foreground; 0.5 teaches nothing

        Raises
        ------
        ShapeError, DtypeError, DeviceMismatchError
        """
        from cvseg.kernels.appearance.color_histogram import color_histogram

        device = common_device("ColorModel.update", lab, probability)
        check_shapes("ColorModel.update", lab=(lab, "h w 3"), probability=(probability, "h w"))
        check_dtype("ColorModel.update", "float32", lab=lab, probability=probability)
        xp = array_module(lab)
        new = color_histogram(xp.ascontiguousarray(lab), xp.ascontiguousarray(probability)).astype(np.float64)
        if self._evidence is not None:
            new = new + self.options.decay * to_device(self._evidence, device)
        self._evidence, self._known = new, None

    def table(self, device: Any = "cpu") -> Any:
        """Log ratio per colour bin, (4096) float32 on `device`; zeros before the first update."""
        if self._evidence is None:
            return to_device(np.zeros(BINS**3, np.float32), device)
        if self._known is None:
            self._known = _table(self._evidence, self.options)
        self._known = to_device(self._known, device)
        return self._known

    def log_ratio(self, lab: Any) -> Any:
        """How much more the colours speak for the foreground than for the background.

        Parameters
        ----------
        lab : (h, w, 3) float32 L*a*b*

        Returns
        -------
        ratio : (h, w) float32 in [-limit, limit] on the same device, natural logarithm; 0 before the first update

        Raises
        ------
        ShapeError, DtypeError
        """
        from cvseg.kernels.appearance.color_log_ratio import color_log_ratio

        device = device_of(lab)
        check_shapes("ColorModel.log_ratio", lab=(lab, "h w 3"))
        check_dtype("ColorModel.log_ratio", "float32", lab=lab)
        return color_log_ratio(array_module(lab).ascontiguousarray(lab), self.table(device))

    def state_dict(self) -> dict[str, Any]:
        """Everything that is learned, as a host array; `load_state_dict` restores it bit for bit."""
        return {"evidence": None if self._evidence is None else np.array(to_host(self._evidence))}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken; the options stay those of this model.

        Raises
        ------
        ShapeError
        """
        evidence = state["evidence"]
        if evidence is not None and tuple(evidence.shape) != (2, BINS**3):
            raise ShapeError(
                f"ColorModel.load_state_dict: evidence is {tuple(evidence.shape)}; expected (2, {BINS**3})."
            )
        self._evidence = None if evidence is None else np.array(evidence, np.float64)
        self._known = None
