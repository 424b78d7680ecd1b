"""`ParticleFilter`: follows one target by its colours, with many weighted guesses about where and how large it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cvseg.checks import check_shapes
from cvseg.errors import InputError, ShapeError
from cvseg.tracking.particle_colors import TargetColors, WorkPicture, work_picture
from cvseg.tracking.particle_estimate import ParticleEstimate
from cvseg.tracking.particle_inputs import check_image, checked_box, checked_boxes, checked_evidence
from cvseg.tracking.particle_options import ParticleOptions
from cvseg.tracking.particle_states import (
    ASPECT,
    SIZE,
    SIZE_DAMPING,
    VSIZE,
    VX,
    VY,
    X,
    Y,
    bounded,
    local_map,
    places_around,
    projected,
    shake,
    sides_of,
)
from cvseg.tracking.resampling import effective_count, systematic_resample

Array = NDArray[np.float64]

CONFIRMED, OCCLUDED, LOST = "confirmed", "occluded", "lost"
LAYER_COOLING = 0.5  # noise of a layer against the one before
LEAST_GAP = 2.0  # of the log likelihoods of target and surroundings: below, nothing can be told apart
PROPOSED = 0.1  # share of the particles that start at proposals
HISTORY = 8  # certain sights that decide the velocity of a target that hides
SURROUNDINGS = np.array([(x, y) for y in (-1, 0, 1) for x in (-1, 0, 1) if x or y], np.float64) * 1.2
USUAL_RATE = 0.1
FIRST_SIGHTS = 5  # frames that say how like the target usually is


class ParticleFilter:
    """Follows one target by its colours.

    A particle is a guess: centre, size, proportions and their velocities. In each frame every particle moves by its
    velocity and some noise, is weighed by how well its box shows the colours of the target in horizontal bands, and how
    much more of them than the ring around it. Good guesses are drawn several times, bad ones not at all.

    When even the best guesses look like the surroundings, the target counts as hidden: colours are frozen, weights are
    alike, the cloud goes on as the target last moved and spreads, and scouts look around it until it is found.

    Parameters
    ----------
    options : ParticleOptions
    rng : generator of all random numbers; None begins one with the seed 0. They are drawn on the host, so that a
        picture on a GPU gives the same particles

    References
    ----------
    Colours in bands, HSV bins and likelihood: [Perez2002]_. Layers: [Deutscher2000]_. Background against foreground
    inside and around: [Possegger2015]_ section 3.1. Departure: the confidence is measured against the surroundings of
    the target, so that one setting serves vivid and dull targets.

    Examples
    --------
    >>> image = np.full((60, 90, 3), 40, np.uint8)
    >>> image[20:40, 30:50] = 200, 30, 30
    >>> target = ParticleFilter(rng=np.random.default_rng(1))
    >>> target.start(image, (30, 20, 50, 40)).confidence
    1.0
    >>> estimate = target.update(np.roll(image, 3, axis=1))
    >>> estimate.status, bool(abs(estimate.box_xyxy[0] - 33) < 2)
    ('confirmed', True)
    """

    def __init__(self, options: ParticleOptions | None = None, rng: np.random.Generator | None = None) -> None:
        self.options = options or ParticleOptions()
        self._rng = rng if rng is not None else np.random.default_rng(0)
        self._frame_index = -1
        self._colors = TargetColors(self.options.parts, self.options.first_share)
        self._particles = np.zeros((0, 7))
        self._weights = np.zeros(0)

    @property
    def started(self) -> bool:
        return self._frame_index >= 0

    @property
    def particles_xywh(self) -> Array:
        """(n, 4) centre x, centre y, width and height of every particle, pixels."""
        boxes = self._boxes(self._particles)
        boxes[:, 2:] *= 2
        return boxes

    @property
    def weights(self) -> Array:
        """(n,) shares of the particles, adding up to 1."""
        return self._weights.copy()

    def start(self, image: Any, box_xyxy: ArrayLike, mask: Any = None, *, frame_index: int = 0) -> ParticleEstimate:
        """Begin with a target whose place is known.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB, NumPy or CuPy
        box_xyxy : (4,) half-open box in pixels, at least partly in the picture
        mask : (H, W) bool of its pixels, on the same device; colours are then learned without the corners of the box

        Raises
        ------
        ShapeError, DtypeError, RangeError
        """
        check_image("ParticleFilter.start", image)
        box = checked_box(box_xyxy, image.shape)
        if mask is not None:
            check_shapes("ParticleFilter.start", image=(image, "H W 3"), mask=(mask, "H W"))
        place = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, (box[2] - box[0]) / 2, (box[3] - box[1]) / 2])
        self._first_sides = np.maximum(place[2:] * 2, 1.0)
        self._colors = TargetColors(self.options.parts, self.options.first_share)
        picture = work_picture(image, 2 * math.sqrt(float(place[2:].prod())))
        self._colors.start(picture, place, None if mask is None else mask.astype(bool))
        count = self.options.particles
        self._particles = np.zeros((count, 7))
        self._particles[:, :2] = place[:2]
        self._weights = np.full(count, 1 / count)
        self._state = self._particles[0].copy()
        self._frame_index, self._hidden, self._seen = frame_index, 0, 0
        self._size_hw = tuple(int(n) for n in image.shape[:2])
        self._sights = [(frame_index, float(place[0]), float(place[1]))]
        self._first_usual = self._usual = self._likelihood(picture, self._state)
        self._around = self._surroundings(picture, self._state)
        self._since_sure, self._velocity = self._particles.copy(), np.zeros(2)
        return self._estimate(1.0, float(count))

    def update(
        self,
        image: Any,
        *,
        frame_index: int | None = None,
        camera_matrix: ArrayLike | None = None,
        evidence: Any = None,
        proposals_xyxy: ArrayLike | None = None,
    ) -> ParticleEstimate:
        """The next frame.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB of the size of the first
        frame_index : grows from call to call; None is the next one. Frames that are skipped pass unseen
        camera_matrix : (3, 3) takes points (x, y, 1) of the last frame to this one
        evidence : (H, W) of at least 0, such as a map of motion; some particles start where it is large
        proposals_xyxy : (m, 4) boxes, such as those of a detector; some particles start there

        Raises
        ------
        ShapeError, DtypeError, RangeError, InputError
        """
        steps = self._checked_steps(image, frame_index)
        if camera_matrix is not None:
            self._move_with_camera(np.asarray(camera_matrix, np.float64))
        proposals = self._proposals(image, evidence, proposals_xyxy)
        self._frame_index += steps
        picture = work_picture(image, float(self._sizes(self._state[None])[0]))
        if self._hidden:
            return self._search(picture, steps, proposals)
        before = self._particles
        self._particles = self._moved(before, steps)
        self._insert(proposals)
        self._weigh_in_layers(picture)
        state = self._mean_state()
        likelihood = self._likelihood(picture, state)
        confidence = self._confidence(likelihood)
        if confidence < self.options.occluded:
            self._hide()
            return self._search(picture, 0, proposals)
        self._accept(picture, state, likelihood, confidence)
        return self._estimate(confidence, self._effective)

    # ---- moving and weighing

    def _moved(self, particles: Array, steps: int, noise: float = 1.0) -> Array:
        options = self.options
        moved = particles
        for _ in range(min(steps, options.lost_after)):
            draws = self._rng.standard_normal((len(particles), 4)) * noise
            moved = moved.copy()
            sizes = self._sizes(moved)[:, None]
            moved[:, (VX, VY)] *= options.damping
            moved[:, VSIZE] *= SIZE_DAMPING
            moved[:, (X, Y)] += moved[:, (VX, VY)]
            moved[:, SIZE] += moved[:, VSIZE]
            shake(moved, draws, sizes, options)
            moved[:, ASPECT] *= 1 - options.aspect_return
        return self._bounded(moved)

    def _weigh_in_layers(self, picture: WorkPicture) -> None:
        """Weigh, draw and shake, each time with sharper weights and less noise; the last layer only weighs."""
        options = self.options
        for layer in range(options.layers):
            log_likelihoods = self._log_likelihoods(picture, self._particles)
            last = layer == options.layers - 1
            sharpness = 1.0 if last else 0.5 ** (options.layers - 1 - layer)
            weights = np.exp((log_likelihoods - log_likelihoods.max()) * sharpness)
            if last:
                # Those who were drawn equally often start with equal weights; others bring theirs.
                weights = weights * (1.0 if layer else self._weights * len(weights))
            weights /= weights.sum()
            if last:
                self._weights, self._effective = weights, effective_count(weights)
                return
            self._draw(weights * self._weights if layer == 0 else weights)
            draws = self._rng.standard_normal((len(self._particles), 4)) * LAYER_COOLING ** (layer + 1)
            shake(self._particles, draws, self._sizes(self._particles)[:, None], options)
            self._particles = self._bounded(self._particles)

    def _draw(self, weights: Array) -> None:
        count = self.options.particles
        rows = systematic_resample(weights, count, float(self._rng.random()))
        self._particles = self._particles[rows].copy()
        self._weights = np.full(count, 1 / count)

    def _log_likelihoods(self, picture: WorkPicture, particles: Array) -> Array:
        scores = self._colors.scores(picture, self._boxes(particles))
        options, parts = self.options, self.options.parts
        distances = 1.0 - scores[:, :parts].mean(1)
        contrast = scores[:, parts] - scores[:, parts + 1]
        return np.asarray(
            options.contrast * contrast - options.sharpness * distances - options.detail * scores[:, parts + 2]
        )

    def _likelihood(self, picture: WorkPicture, state: Array) -> float:
        return float(self._log_likelihoods(picture, state[None])[0])

    def _mean_state(self) -> Array:
        """Weighted mean of the particles around the heaviest: between two places the target is at neither."""
        center, weights = self._particles[int(np.argmax(self._weights))], self._weights
        for _ in range(2):
            near = np.abs(self._particles[:, :2] - center[:2]) < 0.5 * self._sides(center[None])[0]
            kept = np.where(near.all(1), weights, 0.0)
            center = kept @ self._particles / kept.sum()
        return np.asarray(center)

    def _accept(self, picture: WorkPicture, state: Array, likelihood: float, confidence: float) -> None:
        options = self.options
        self._state = state
        if self._seen < FIRST_SIGHTS:
            # The picture that the colours were learned from is more like them than any other will be.
            self._seen += 1
            self._usual += (likelihood - self._usual) / self._seen
            self._first_usual = self._usual
        if confidence >= options.certain:
            if options.learning_rate:
                self._colors.learn(picture, self._boxes(state[None])[0], options.learning_rate, options.point_rate)
            self._usual += USUAL_RATE * (likelihood - self._usual)
            self._around += USUAL_RATE * (self._surroundings(picture, state) - self._around)
            earlier = [sight for sight in self._sights if sight[0] < self._frame_index]
            self._sights = [*earlier[-HISTORY + 1 :], (self._frame_index, float(state[X]), float(state[Y]))]
            self._since_sure = self._particles.copy()
        if self._effective < 0.5 * len(self._weights):
            self._draw(self._weights)

    def _confidence(self, likelihood: float) -> float:
        usual = 0.5 * (self._first_usual + self._usual)
        gap = max(usual - self._around, LEAST_GAP)
        return min(max((likelihood - usual + gap) / gap, 0.0), 1.0)

    def _surroundings(self, picture: WorkPicture, state: Array) -> float:
        """Mean log likelihood of the places beside the target."""
        shifted = np.repeat(state[None], len(SURROUNDINGS), axis=0)
        shifted[:, :2] += SURROUNDINGS * self._sides(state[None])
        return float(self._log_likelihoods(picture, shifted).mean())

    # ---- hidden targets

    def _hide(self) -> None:
        """Back to the last certain sight, and from there on as the target moved then."""
        times, xs, ys = (np.array(values, np.float64) for values in zip(*self._sights, strict=True))
        velocity = self._velocity  # of an earlier search, where it was just found
        if len(times) > 1:
            away = times - times.mean()
            velocity = np.array([away @ xs, away @ ys]) / (away @ away)
        steps = max(int(self._frame_index - times[-1]), 1)
        particles = self._since_sure.copy()
        size = float(self._sizes(self._state[None])[0])
        draws = self._rng.standard_normal((len(particles), 2))
        particles[:, (VX, VY)] = velocity + 0.5 * self.options.hidden_noise * size * draws
        particles[:, VSIZE] = 0
        self._velocity = velocity
        self._particles = particles
        self._weights = np.full(len(particles), 1 / len(particles))
        self._state = particles.mean(0)
        self._coast(steps)
        self._hidden = steps

    def _coast(self, steps: int) -> None:
        particles, size = self._particles, float(self._sizes(self._state[None])[0])
        for _ in range(min(steps, self.options.lost_after)):
            draws = self._rng.standard_normal((len(particles), 2))
            particles[:, (VX, VY)] += self.options.hidden_noise * size * 0.3 * draws
            particles[:, :2] += particles[:, (VX, VY)]
        self._particles = self._bounded(particles)
        self._state = self._particles.mean(0)

    def _search(self, picture: WorkPicture, steps: int, proposals: Array) -> ParticleEstimate:
        """The cloud goes on without weights, until it or a scout meets what looks like the target."""
        if steps:
            self._coast(steps)
            self._hidden += steps
        coasting, weights = self._particles.copy(), self._weights.copy()
        middle = self._state.copy()
        scouts = self._scouts()
        tried = np.concatenate([coasting, scouts, proposals])
        reach = self._reach()
        far = np.square((tried[:, :2] - middle[:2]) / reach).sum(1)
        log_likelihoods = self._log_likelihoods(picture, tried) - 0.5 * far
        best = float(log_likelihoods.max())
        # A coarse search meets the target only in part: then look closer around the best.
        if self._confidence(best) >= 0.6 * self.options.found:
            shares = np.exp(log_likelihoods - log_likelihoods.max())
            rows = systematic_resample(shares / shares.sum(), self.options.particles, float(self._rng.random()))
            self._particles = tried[rows].copy()
            self._weights = np.full(len(rows), 1 / len(rows))
            draws = self._rng.standard_normal((len(rows), 4))
            shake(self._particles, draws, self._sizes(self._particles)[:, None], self.options)
            self._weigh_in_layers(picture)
            state = self._mean_state()
            likelihood = self._likelihood(picture, state)
            confidence = self._confidence(likelihood)
            if confidence >= self.options.found:
                return self._return_to(picture, state, likelihood, confidence)
            self._particles, self._weights = coasting, weights
        self._effective = float(len(weights))
        return self._estimate(self._confidence(best) * self.options.found, self._effective)

    def _return_to(self, picture: WorkPicture, state: Array, likelihood: float, confidence: float) -> ParticleEstimate:
        last = self._sights[-1]
        gap = max(self._frame_index - last[0], 1)
        straight = (state[:2] - np.array(last[1:])) / gap
        self._particles[:, (VX, VY)] += 0.5 * (straight + self._velocity) - self._particles[:, (VX, VY)].mean(0)
        state[[VX, VY]] = self._particles[:, (VX, VY)].mean(0)
        self._hidden = 0
        self._velocity = state[[VX, VY]].copy()
        self._since_sure = self._particles.copy()
        self._sights = [(self._frame_index, float(state[X]), float(state[Y]))]
        self._accept(picture, state, likelihood, confidence)
        return self._estimate(confidence, self._effective)

    def _reach(self) -> float:
        """How far from its prediction a hidden target may be, one standard deviation, pixels."""
        size = float(self._sizes(self._state[None])[0])
        if self._hidden > self.options.lost_after:
            return 4.0 * math.hypot(*self._size_hw)
        speed = float(np.hypot(*self._velocity))
        return size + self._hidden * (self.options.reach * size * 0.5 + 0.3 * speed)

    def _scouts(self) -> Array:
        """Guesses on a grid over where the hidden target may be, or over the whole picture once it is lost."""
        sides = self._sides(self._state[None])[0]
        reach = 2 * self._reach() if self._hidden <= self.options.lost_after else math.inf
        x, y = places_around(self._state[:2], reach, sides, self._size_hw, self.options.particles, self._rng)
        scouts = np.repeat(self._state[None], len(x), axis=0)
        scouts[:, X], scouts[:, Y] = x, y
        scouts[:, (VX, VY)] = self._velocity
        return scouts

    # ---- proposals

    def _proposals(self, image: Any, evidence: Any, proposals_xyxy: ArrayLike | None) -> Array:
        """Particles at the places that somebody else found likely."""
        count = max(1, round(PROPOSED * self.options.particles))
        found = []
        if proposals_xyxy is not None:
            boxes = checked_boxes(proposals_xyxy)
            if len(boxes):
                found.append(self._at_boxes(np.resize(boxes, (count, 4))))
        if evidence is not None:
            found.append(self._at_evidence(image, evidence, count))
        return np.concatenate([np.zeros((0, 7)), *found])

    def _at_boxes(self, boxes: Array) -> Array:
        places = np.repeat(self._state[None], len(boxes), axis=0)
        places[:, :2] = 0.5 * (boxes[:, :2] + boxes[:, 2:])
        sides = np.log(np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0) / self._first_sides)
        places[:, SIZE], places[:, ASPECT] = sides.mean(1), sides[:, 0] - sides[:, 1]
        return self._bounded(places)

    def _at_evidence(self, image: Any, evidence: Any, count: int) -> Array:
        values = checked_evidence(image, evidence)
        if values.sum() == 0:
            return np.zeros((0, 7))
        # Rows first, then the place in the row: two short sums instead of one over all pixels.
        draws = self._rng.random((count, 2))
        rows = systematic_resample(values.sum(1), count, float(draws[0, 0]))
        heights = np.cumsum(values[rows], axis=1)
        columns = (heights < (draws[:, 1] * heights[:, -1])[:, None]).sum(1)
        places = np.repeat(self._state[None], count, axis=0)
        places[:, X], places[:, Y] = columns + 0.5, rows + 0.5
        return self._bounded(places)

    def _insert(self, proposals: Array) -> None:
        """Put proposals in the place of the lightest particles, with the mean weight."""
        if not len(proposals):
            return
        rows = np.argsort(self._weights, kind="stable")[: min(len(proposals), len(self._weights) // 2)]
        self._particles[rows] = proposals[: len(rows)]
        self._weights[rows] = 1 / len(self._weights)
        self._weights /= self._weights.sum()

    # ---- shapes of particles

    def _sides(self, particles: Array) -> Array:
        """(n, 2) width and height, pixels."""
        return sides_of(particles, self._first_sides)

    def _sizes(self, particles: Array) -> Array:
        return np.asarray(math.sqrt(float(self._first_sides.prod())) * np.exp(particles[:, SIZE]))

    def _boxes(self, particles: Array) -> Array:
        """(n, 4) centre and half sides, pixels."""
        return np.concatenate([particles[:, :2], 0.5 * self._sides(particles)], axis=1)

    def _bounded(self, particles: Array) -> Array:
        return bounded(particles, self._first_sides, self._size_hw)

    def _estimate(self, confidence: float, effective: float) -> ParticleEstimate:
        sides = self._sides(self._state[None])[0]
        rows = np.concatenate([self._particles[:, :2], np.log(self._sides(self._particles))], axis=1)
        away = rows - self._weights @ rows
        covariance = (away * self._weights[:, None]).T @ away
        # Pixels are whole: below that no estimate is.
        covariance = 0.5 * (covariance + covariance.T) + np.diag([1, 1, *(1 / sides**2)]) / 12
        status = CONFIRMED if not self._hidden else OCCLUDED if self._hidden <= self.options.lost_after else LOST
        return ParticleEstimate(
            frame_index=self._frame_index,
            box_xyxy=np.concatenate([self._state[:2] - sides / 2, self._state[:2] + sides / 2]),
            velocity_xy=self._state[[VX, VY]].copy(),
            covariance=covariance,
            confidence=confidence,
            status=status,
            effective=effective,
        )

    # ---- the rest

    def _checked_steps(self, image: Any, frame_index: int | None) -> int:
        if not self.started:
            raise InputError("ParticleFilter.update: there is no target yet. Call start() with its box first.")
        check_image("ParticleFilter.update", image)
        if tuple(image.shape[:2]) != self._size_hw:
            raise ShapeError(
                f"ParticleFilter.update: image is {tuple(image.shape)}; expected ({self._size_hw[0]}, "
                f"{self._size_hw[1]}, 3) as at the start."
            )
        steps = 1 if frame_index is None else int(frame_index) - self._frame_index
        if steps < 1:
            raise InputError(
                f"ParticleFilter.update: frame_index is {frame_index} after {self._frame_index}; frames must come in "
                "order. Call start() for another clip."
            )
        return steps

    def _move_with_camera(self, matrix: Array) -> None:
        if matrix.shape != (3, 3) or not np.isfinite(matrix).all():
            raise ShapeError(f"ParticleFilter.update: camera_matrix is {matrix.shape}; expected (3, 3) finite numbers.")
        middle = self._state[:2]
        turn, zoom = local_map(matrix, middle)
        for rows in (self._particles, self._since_sure, self._state[None]):
            rows[:, :2] = projected(matrix, rows[:, :2])
            rows[:, (VX, VY)] = rows[:, (VX, VY)] @ turn.T
            rows[:, SIZE] += math.log(zoom)
        places = projected(matrix, np.array([sight[1:] for sight in self._sights]))
        self._sights = [(sight[0], float(x), float(y)) for sight, (x, y) in zip(self._sights, places, strict=True)]
        self._velocity = turn @ self._velocity

    def state_dict(self) -> dict[str, Any]:
        """Everything that decides what comes next, the generator too; arrays on the host."""
        state = {name: value for name, value in self.__dict__.items() if name not in ("options", "_rng", "_colors")}
        copied = {name: np.array(value) if isinstance(value, np.ndarray) else value for name, value in state.items()}
        copied["_sights"] = list(copied.get("_sights", []))
        return {**copied, "rng": self._rng.bit_generator.state, "colors": self._colors.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken; the options stay those of this filter."""
        values = dict(state)
        generator = values.pop("rng")
        bits = getattr(np.random, generator["bit_generator"])()
        bits.state = generator
        self._rng = np.random.Generator(bits)
        self._colors.load_state_dict(values.pop("colors"))
        for name, value in values.items():
            setattr(self, name, np.array(value) if isinstance(value, np.ndarray) else value)
