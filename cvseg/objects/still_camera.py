"""Before a camera that stands still a background model says what is object: as a logit, while the camera stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.arrays import array_module
from cvseg.background import background_model
from cvseg.motion import CameraState
from cvseg.objects.work_frame import WorkFrame

LEAST = 0.02  # probability of foreground that is believed, and as much below one: no single frame is certain
FULL_VOTE = 8.0  # logit of the background model that weighs as much as a vote of all or none


@dataclass(frozen=True)
class StillEvidence:
    """What the background model says of one frame, before which the camera stood.

    Attributes
    ----------
    logit : (h, w) float32 at work size; positive is object
    trust : 0 to 1, how well the model knows the background by now
    """

    logit: Any
    trust: float

    def with_votes(self, vote: Any, contrast: float) -> tuple[Any, Any]:
        """Join the model with votes of motion.

        Parameters
        ----------
        vote : (h, w) float32 in [0, 1], above 0.5 for objects
        contrast : how far votes inside objects stand above those outside, 0 to 1

        Returns
        -------
        vote : (h, w) float32 in [0, 1]
        gain : (h, w) float32, how much of the votes given is left in it

        Examples
        --------
        >>> known = StillEvidence(np.full((1, 2), 2, np.float32), trust=1.0)
        >>> known.with_votes(np.array([[0.1, 0.9]], np.float32), contrast=0.2)[0].tolist()
        [[0.75, 0.75]]
        """
        module, half = array_module(vote), np.float32(0.5)
        # Motion adds to the background model, where it is clear: the model learns slow objects away.
        clear = min(max((contrast - 0.25) / 0.15, 0.0), 1.0)
        own = vote - half
        trust, share = np.float32(self.trust), np.float32(max(1 - self.trust, 0.0))
        gain = share + trust * np.float32(2 * clear) * (own > np.float32(0))
        mixed = trust * self.logit / np.float32(FULL_VOTE) + gain * own
        return module.clip(mixed + half, np.float32(0), np.float32(1)), gain


class StillCamera:
    """Follows whether the camera stands, and teaches a background model while it does.

    Parameters
    ----------
    camera : "auto", or "static" for a camera that is known to stand, or "moving" for one that never does
    background : a key of `BACKGROUND_METHODS`
    background_frames : frames after which the model is wholly trusted
    """

    def __init__(self, *, camera: str, background: str, background_frames: int) -> None:
        self.camera, self.background_frames = camera, background_frames
        self._state = CameraState()
        self._model = background_model(background)

    def push(self, work: WorkFrame) -> StillEvidence | None:
        """What the model says of the next frame; None while the camera moves, or has not stood for long enough."""
        if self.camera == "moving":
            return None
        assert work.camera_forward is not None  # WorkFrames has completed it
        self._state.update(work.camera_forward)
        if self._state.moved and self.camera == "auto":
            self._model.reset()
        result = self._model.update(work.small)
        if self.camera == "auto" and not self._state.static:
            return None
        module = array_module(result.foreground)
        limited = module.clip(result.foreground, np.float32(LEAST), np.float32(1 - LEAST))
        trust = min(1.0, result.frames / self.background_frames)
        return StillEvidence(module.log(limited / (np.float32(1) - limited)), trust)
