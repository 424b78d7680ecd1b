"""`ShrunkSource`: a source whose frames are made smaller, for `--max-height`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from cvseg.records import Frame
from cvseg.video import FrameSource, SourceInfo


class ShrunkSource:
    """The frames of `source` with at most `max_height` rows, by area averaging; times and names stay.

    Attributes
    ----------
    scale : new size over old size, at most 1
    """

    def __init__(self, source: FrameSource, max_height: int) -> None:
        self._source = source
        info = source.info
        self.scale = min(1.0, max_height / info.height)
        width, height = max(1, round(info.width * self.scale)), max(1, round(info.height * self.scale))
        self._info = replace(info, width=width, height=height)

    @property
    def info(self) -> SourceInfo:
        return self._info

    def __iter__(self) -> Iterator[Frame]:
        from PIL import Image

        size = (self._info.width, self._info.height)
        for frame in self._source:
            if self.scale == 1.0:
                yield frame
                continue
            small = Image.fromarray(frame.image).resize(size, Image.Resampling.BOX)
            yield replace(frame, image=np.array(small))

    def cancel(self) -> None:
        """End a wait for the input, where the source can."""
        cancel = getattr(self._source, "cancel", None)
        if cancel is not None:
            cancel()

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> ShrunkSource:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def shrink_roi(self, roi: tuple[int, int, int, int] | str | None) -> Any:
        """A box or a mask picture in pixels of the input, in pixels of the smaller frames."""
        if roi is None or self.scale == 1.0:
            return roi
        if isinstance(roi, str):
            from cvseg.pipeline.region_of_interest import read_region_of_interest

            return self.shrink_mask(read_region_of_interest(roi, (self._source.info.height, self._source.info.width)))
        x, y, width, height = roi
        left, top = int(x * self.scale), int(y * self.scale)
        # A box at the edge stays in the frame, whose size was rounded; one outside stays outside.
        if x < self._source.info.width and y < self._source.info.height:
            left, top = min(left, self._info.width - 1), min(top, self._info.height - 1)
        right, bottom = round((x + width) * self.scale), round((y + height) * self.scale)
        return left, top, max(1, right - left), max(1, bottom - top)

    def shrink_mask(self, mask: Any) -> Any:
        """An (H, W) mask in pixels of the input, in pixels of the smaller frames; None stays None."""
        if mask is None or self.scale == 1.0:
            return mask
        # The pixel of the large mask at the centre of each small one.
        full = mask.shape
        rows = ((np.arange(self._info.height) + 0.5) / self._info.height * full[0]).astype(int)
        columns = ((np.arange(self._info.width) + 0.5) / self._info.width * full[1]).astype(int)
        return mask[np.ix_(rows, columns)]
