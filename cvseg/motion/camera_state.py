"""Whether the camera stands still: decides between a background model and motion against the camera."""

from __future__ import annotations

from cvseg.motion.camera_motion import CameraMotion


class CameraState:
    """Follows the camera motion and says when the camera has stood still for long enough.

    A background model needs many still frames before it says more than the motion itself; one moving frame spoils it.

    Parameters
    ----------
    still_px : mean camera motion per frame below which the camera stands still, in pixels
    moving_px : above this in two frames running, it moves
    settle_frames : still frames before the camera counts as static
    """

    def __init__(self, still_px: float = 0.08, moving_px: float = 0.35, settle_frames: int = 12) -> None:
        self.still_px, self.moving_px, self.settle_frames = still_px, moving_px, settle_frames
        self.reset()

    def reset(self) -> None:
        """Forget everything, as after a shot cut."""
        self._still = 0
        self._moving = 0
        self.static = False
        self.moved = False

    def update(self, camera: CameraMotion) -> bool:
        """Take in the motion into the next frame; true when the camera is static now. `moved` says that it moves."""
        if camera.displacement_px > self.moving_px:
            self._moving += 1
            if self._moving >= 2:
                self._still, self.static = 0, False
        else:
            self._moving = 0
            self._still += camera.displacement_px < self.still_px
            self.static = self.static or self._still >= self.settle_frames
        self.moved = self._moving >= 2
        return self.static

    def state_dict(self) -> dict[str, int | bool]:
        """Everything needed to continue."""
        return {"still": self._still, "moving": self._moving, "static": self.static, "moved": self.moved}

    def load_state_dict(self, state: dict[str, int | bool]) -> None:
        """Continue from `state_dict`."""
        self._still, self._moving = int(state["still"]), int(state["moving"])
        self.static, self.moved = bool(state["static"]), bool(state["moved"])
