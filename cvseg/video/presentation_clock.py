"""`PresentationClock`: exact, strictly increasing times from the timestamps of a stream."""

from __future__ import annotations

from fractions import Fraction


class PresentationClock:
    """Exact times from a stream's timestamps, strictly increasing, the first one 0.

    The presentation time (PTS) of a frame counts, unless PTS have run backwards more often than decoding times (DTS):
    then they are invented or damaged, and the DTS, which frames leave the decoder by, counts. A frame with neither, or
    with a time that is not after the frame before it, is shown one frame period (``1 / rate``) after that frame.

    Parameters
    ----------
    rate : frames per second, for frames without a time
    has_pts : False for AVI, which stores none: what is given as PTS there is the order of decoding
    """

    def __init__(self, rate: Fraction, *, has_pts: bool = True) -> None:
        self._step = 1 / rate
        self._has_pts = has_pts
        self._backward = {"pts": 0, "dts": 0}
        self._latest: dict[str, int] = {}
        self._last: Fraction | None = None
        self._origin = Fraction(0)
        self.start_s = Fraction(0)

    def time_s(self, pts: int | None, dts: int | None, time_base: Fraction | None) -> Fraction:
        """Seconds since the first frame, of a frame with these timestamps in units of `time_base`."""
        ticks = self._believed(pts, dts)
        stored = None if ticks is None or not time_base else ticks * Fraction(time_base)
        if self._last is None:
            self._origin = stored if stored is not None else Fraction(0)
            # Without PTS the origin is only the delay of the decoder.
            self.start_s = self._origin if self._has_pts else Fraction(0)
            self._last = Fraction(0)
            return self._last
        time_s = self._last + self._step if stored is None else stored - self._origin
        self._last = time_s if time_s > self._last else self._last + self._step
        return self._last

    def _believed(self, pts: int | None, dts: int | None) -> int | None:
        if not self._has_pts:
            return dts
        for name, ticks in (("pts", pts), ("dts", dts)):
            if ticks is not None:
                self._backward[name] += ticks <= self._latest.get(name, ticks - 1)
                self._latest[name] = ticks
        if pts is not None and (dts is None or self._backward["pts"] <= self._backward["dts"]):
            return pts
        return dts
