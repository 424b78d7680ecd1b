"""`FrameLinks`: the flow of a film between the frames that belong together; cuts, flashes and repeated frames named."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np

from cvseg.arrays import array_module
from cvseg.flow import FlowPair, FlowStream
from cvseg.shots.pair_likeness import PairLikeness, channel_lamps, largest_change, pair_likeness

Payload = TypeVar("Payload")
Lamps = tuple[float, float, float]
STEADY: Lamps = (0.0, 0.0, 0.0)

SEEN, REPEAT, BROKEN = "seen", "repeat", "broken"

LEAST_SCORE = 0.25  # of `PairLikeness`; below, the flow says nothing
MOST_LIGHT = 0.4  # a change of light by half as much again at once is a flash, if it goes back; lamps flicker less
MOST_BROKEN = 3  # frames that a flash may last
MOST_REPEATS = 4  # copies that a frame waits for the next motion; more are a film that stands still
LEAST_COLORS = 0.15  # distance of the colours from which on it is asked whether lamps have changed them
LEAST_CHANGE = 0.5 / 255  # of a block; less is a copy


@dataclass(frozen=True)
class LinkedFrame(Generic[Payload]):
    """One frame of the film.

    Attributes
    ----------
    payload : what was given to `push` with the frame
    role : "seen"; "repeat": the same picture as the last one seen; "broken": a flash or a black frame between two
        frames that belong together
    begins_shot : no frame before belongs to it
    forward_xy, backward_xy : (h, w, 2) float32, pixels. Of a frame seen: to the next and the previous one seen, None at
        the ends of a shot. Of a broken one: to the frames seen around it, by its share of their motion. Of a repeat:
        None
    lamps : natural logarithms of how much brighter a frame seen is than the one seen before, in red, green and blue:
        see `channel_lamps`
    arrival_xy : (h, w, 2) float32, pixels, from the frame seen before to this one, in that one's pixels; None for the
        first of a shot, and for frames not seen
    """

    payload: Payload
    role: str
    begins_shot: bool
    forward_xy: Any
    backward_xy: Any
    lamps: Lamps = STEADY
    arrival_xy: Any = None


@dataclass(frozen=True)
class _Held(Generic[Payload]):
    gray: Any
    small: Any
    payload: Payload
    begins_shot: bool = False
    backward_xy: Any = None
    lamps: Lamps = STEADY
    arrival_xy: Any = None


class FrameLinks(Generic[Payload]):
    """Frames in; linked frames out, in order, as a rule one frame later.

    Two frames belong together when the picture agrees along the flow and in its colours (`PairLikeness.score`). Where a
    frame does not belong to the one before, or its light jumps, the next three are asked: if one of them belongs to the
    frame before, those between are broken, else the film is cut there. A frame that equals the last one is a repeat and
    gets no flow: the frames seen on both sides of it are linked instead. Where the light changes, the flow is that of
    pictures of one light.

    Parameters
    ----------
    flow_preset : "fast", "balanced" or "quality", of `FlowStream`
    causal : frames come out at once, without the flow to the next one; only what may be a flash still waits

    Examples
    --------
    >>> links = FrameLinks("fast")
    >>> rng = np.random.default_rng(0)
    >>> def shown(links, small, name):
    ...     return [(f.payload, f.role, f.begins_shot)
    ...             for f in links.push((small.mean(axis=2) / 255).astype(np.float32), small, name)]
    >>> one, two = (rng.integers(0, 255, (40, 60, 3), dtype=np.uint8) for _ in range(2))
    >>> [shown(links, one, 0), shown(links, one, 1), shown(links, two, 2)]
    [[], [], []]
    >>> [(frame.payload, frame.role, frame.begins_shot) for frame in links.finish()]
    [(0, 'seen', True), (1, 'repeat', False), (2, 'seen', True)]
    """

    def __init__(self, flow_preset: str = "balanced", *, causal: bool = False) -> None:
        self._flow_preset, self.causal = flow_preset, causal
        self._stream = FlowStream(flow_preset)
        self.reset()

    def reset(self) -> None:
        """Forget everything, for another film."""
        self._stream.reset()
        self._incoming: deque[_Held[Payload]] = deque()
        self._anchor: _Held[Payload] | None = None  # last frame seen
        self._told = False  # the anchor has gone out: the film stands still
        self._repeats: list[_Held[Payload]] = []
        self._suspects: list[_Held[Payload]] = []  # frames after the anchor that may be broken
        self._first: tuple[FlowPair, PairLikeness] | None = None  # of the anchor and the first suspect

    def push(self, gray: Any, small: Any, payload: Payload) -> list[LinkedFrame[Payload]]:
        """Take in the next frame.

        Parameters
        ----------
        gray : (h, w) float32 in [0, 1], of one size for the whole film
        small : (h, w, 3) uint8 RGB, the same picture
        payload : returned with the frame

        Raises
        ------
        ShapeError, DtypeError, DeviceMismatchError
        """
        self._incoming.append(_Held(gray, small, payload))
        return self._take_all()

    def finish(self) -> list[LinkedFrame[Payload]]:
        """All frames that are still open; the links are then ready for another film."""
        done = []
        while self._suspects:
            done += self._settle()
            done += self._take_all()
        done += self._close()
        self.reset()
        return done

    def _take_all(self) -> list[LinkedFrame[Payload]]:
        done: list[LinkedFrame[Payload]] = []
        while self._incoming:
            done += self._take(self._incoming.popleft())
        return done

    def _take(self, frame: _Held[Payload]) -> list[LinkedFrame[Payload]]:
        if self._anchor is None:
            self._stream.update(frame.gray)
            return self._begin(replace(frame, begins_shot=True))
        if self._suspects:
            return self._judge(frame)
        if largest_change(self._anchor.gray, frame.gray) < LEAST_CHANGE:
            return self._repeat(frame)
        pair = self._stream.update(frame.gray)
        assert pair is not None  # the stream has the anchor
        like = _likeness(self._anchor, frame, pair)
        if like.score < LEAST_SCORE or abs(like.light) > MOST_LIGHT:
            self._suspects, self._first = [frame], (pair, like)
            return []
        lamps = STEADY
        if like.lamp or like.colors > LEAST_COLORS:
            lamps = channel_lamps(self._anchor.small, frame.small, pair.forward_xy, like.lamp)
        if like.lamp:
            pair = _lone_pair(self._flow_preset, self._anchor.gray, frame.gray, like.lamp)
        return self._link(frame, pair, lamps)

    def _repeat(self, frame: _Held[Payload]) -> list[LinkedFrame[Payload]]:
        if self._told:
            return [_linked(frame, REPEAT)]
        self._repeats.append(frame)
        return self._tell(None) if len(self._repeats) > MOST_REPEATS else []

    def _judge(self, frame: _Held[Payload]) -> list[LinkedFrame[Payload]]:
        """Whether this frame belongs to the anchor, so that those between are broken."""
        assert self._anchor is not None and self._first is not None
        # The motion of the pair before is of no use: pictures of several frames' distance, or of another light.
        pair = _lone_pair(self._flow_preset, self._anchor.gray, frame.gray)
        like, first = _likeness(self._anchor, frame, pair), self._first[1]
        most_light = MOST_LIGHT if first.score < LEAST_SCORE else abs(first.light) / 2
        if like.score < LEAST_SCORE or abs(like.light) > most_light:
            self._suspects.append(frame)
            return self._settle() if len(self._suspects) > MOST_BROKEN else []
        broken, self._suspects = self._suspects, []
        self._restart(frame)
        lamps = channel_lamps(self._anchor.small, frame.small, pair.forward_xy, like.lamp)
        return self._link(frame, pair, lamps, broken)

    def _settle(self) -> list[LinkedFrame[Payload]]:
        """No frame came back to the anchor: the first suspect goes on from it, or begins a shot."""
        assert self._anchor is not None and self._first is not None
        (suspect, *others), (_, like) = self._suspects, self._first
        self._suspects = []
        self._restart(suspect)
        self._incoming.extendleft(reversed(others))
        if like.score >= LEAST_SCORE:
            pair = _lone_pair(self._flow_preset, self._anchor.gray, suspect.gray)
            lamp = _likeness(self._anchor, suspect, pair).lamp
            return self._link(suspect, pair, channel_lamps(self._anchor.small, suspect.small, pair.forward_xy, lamp))
        return self._close() + self._begin(replace(suspect, begins_shot=True))

    def _restart(self, frame: _Held[Payload]) -> None:
        self._stream.reset()
        self._stream.update(frame.gray)

    def _begin(self, frame: _Held[Payload]) -> list[LinkedFrame[Payload]]:
        self._anchor, self._told, self._repeats = frame, False, []
        return self._tell(None) if self.causal else []

    def _link(
        self, frame: _Held[Payload], pair: FlowPair, lamps: Lamps, broken: list[_Held[Payload]] | None = None
    ) -> list[LinkedFrame[Payload]]:
        done = self._tell(pair.forward_xy)
        broken = broken or []
        for place, one in enumerate(broken, start=1):
            share = np.float32(place / (len(broken) + 1))
            ahead, back = (np.float32(1) - share) * pair.forward_xy, share * pair.backward_xy
            done.append(LinkedFrame(one.payload, BROKEN, False, ahead, back))
        arrived = replace(frame, backward_xy=pair.backward_xy, arrival_xy=pair.forward_xy, lamps=lamps)
        return done + self._begin(arrived)

    def _tell(self, forward_xy: Any) -> list[LinkedFrame[Payload]]:
        """The anchor, if it has not gone out before, and its repeats."""
        assert self._anchor is not None
        done = [] if self._told else [_linked(self._anchor, SEEN, forward_xy)]
        done += [_linked(frame, REPEAT) for frame in self._repeats]
        self._told, self._repeats = True, []
        return done

    def _close(self) -> list[LinkedFrame[Payload]]:
        return [] if self._anchor is None else self._tell(None)


def _linked(frame: _Held[Payload], role: str, forward_xy: Any = None) -> LinkedFrame[Payload]:
    lamps = frame.lamps if role == SEEN else STEADY
    flows = forward_xy, frame.backward_xy
    return LinkedFrame(frame.payload, role, frame.begins_shot, *flows, lamps, frame.arrival_xy)


def _likeness(one: _Held[Any], other: _Held[Any], pair: FlowPair) -> PairLikeness:
    return pair_likeness(one.gray, other.gray, one.small, other.small, pair.forward_xy)


def _lone_pair(flow_preset: str, gray0: Any, gray1: Any, lamp: float | None = None) -> FlowPair:
    """Flow of two frames by themselves, after the second one has got the light of the first.

    Where it is not known how much brighter the second one is, both its light and its contrast are matched.
    """
    xp = array_module(gray0)
    if lamp is None:
        gain = xp.clip(gray0.std() / xp.maximum(gray1.std(), np.float32(1e-3)), np.float32(0.25), np.float32(4))
        matched = (gray1 - gray1.mean()) * gain + gray0.mean()
    else:
        matched = gray1 * np.float32(np.exp(-lamp))
    stream = FlowStream(flow_preset)
    stream.update(gray0)
    pair = stream.update(xp.ascontiguousarray(xp.clip(matched, np.float32(0), np.float32(1)).astype(np.float32)))
    assert pair is not None
    return pair
