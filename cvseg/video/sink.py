"""`FrameSink`: what every writer of pictures offers."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Protocol, TypeVar, runtime_checkable

from numpy.typing import NDArray

from cvseg.records.frame import Frame

SinkType = TypeVar("SinkType", bound="FrameSink")


@runtime_checkable
class FrameSink(Protocol):
    """A place that takes one picture a frame.

    A context manager. Leaving the block, also by Ctrl-C or because a later frame of the input is damaged, finishes
    the output with what was written until then; when the sink itself failed, nothing half-written stays under the
    final name. Outputs grow beside their final name (``overlay.mp4.partial``) and are renamed when they are whole.
    """

    def write(self, image: NDArray[Any], frame: Frame) -> None:
        """Add one picture; `frame` gives its time and its name.

        Raises
        ------
        OutputError
            when it cannot be written.
        """

    def close(self) -> None:
        """Finish the output. Harmless when repeated."""

    def abort(self) -> None:
        """Give up: remove what is not finished. Harmless after `close`."""

    def __enter__(self: SinkType) -> SinkType: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
