"""`Supervoxels`: regions of some frames of a video on every level of the hierarchy; the level is chosen afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, device_of, to_device
from cvseg.checks import check_range
from cvseg.errors import DtypeError, InputError


@dataclass(frozen=True)
class Supervoxels:
    """Frames that are finished, one after the other, and the tree of their regions.

    Attributes
    ----------
    first_frame : index of the first frame, from 0
    slots : for each frame (H, W) int32, the superpixel of every pixel; numbers of the frame alone
    regions : for each frame (levels, n) int32: the region that a superpixel belongs to on every level, from the finest;
        numbers of a level go on through the whole stream
    """

    first_frame: int
    slots: tuple[Any, ...]
    regions: tuple[NDArray[np.int32], ...]

    def __len__(self) -> int:
        return len(self.slots)

    @property
    def levels(self) -> int:
        """How many levels there are; 0 is the finest."""
        return int(self.regions[0].shape[0])

    @property
    def counts(self) -> NDArray[np.int64]:
        """(levels,) number of regions in these frames together."""
        return np.array([len(np.unique(np.concatenate([own[level] for own in self.regions]))) for level in self._all])

    @property
    def _all(self) -> range:
        return range(self.levels)

    def level(self, level: int) -> Any:
        """Labels of one level.

        Parameters
        ----------
        level : from 0, the finest, to `levels` - 1; negative ones count from the coarsest

        Returns
        -------
        labels : (T, H, W) int32 on the device of the frames

        Raises
        ------
        RangeError, DtypeError
        """
        chosen = self._checked(level)
        xp = array_module(self.slots[0])
        return xp.stack([self.frame(i, chosen) for i in range(len(self))])

    def frame(self, i: int, level: int) -> Any:
        """(H, W) int32 labels of the `i`-th of these frames on one level.

        Raises
        ------
        RangeError, DtypeError
        """
        from cvseg.kernels.labeling.relabel import relabel

        chosen, slots = self._checked(level), self.slots[i]
        return relabel(slots, to_device(np.ascontiguousarray(self.regions[i][chosen]), device_of(slots)))

    def level_with(self, count: int) -> int:
        """The level whose number of regions in these frames is nearest to `count`; of two alike the finer one.

        Raises
        ------
        RangeError, DtypeError
        """
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)):
            raise DtypeError(f"Supervoxels: count is {count!r}; expected a whole number.")
        check_range("Supervoxels", "count", count, low=1)
        # As a share: 100 is as far from 50 as from 200.
        return int(np.argmin(np.abs(np.log(self.counts / count))))

    def labels_with(self, count: int) -> Any:
        """`level` of the level whose number of regions is nearest to `count`.

        Of a stream, choose the level once, with `level_with` of the first part: each level has its own numbers.

        Raises
        ------
        RangeError, DtypeError
        """
        return self.level(self.level_with(count))

    def _checked(self, level: int) -> int:
        if isinstance(level, bool) or not isinstance(level, (int, np.integer)):
            raise DtypeError(f"Supervoxels: level is {level!r}; expected a whole number.")
        check_range("Supervoxels", "level", level, low=-self.levels, high=self.levels - 1)
        return int(level) % self.levels

    @staticmethod
    def joined(parts: Sequence[Supervoxels]) -> Supervoxels:
        """Parts of one stream, which follow each other, as one.

        Raises
        ------
        InputError
        """
        if not parts:
            raise InputError("Supervoxels.joined: no parts; expected at least one.")
        following = parts[0].first_frame
        for part in parts:
            if part.first_frame != following or part.levels != parts[0].levels:
                raise InputError(
                    f"Supervoxels.joined: a part begins at frame {part.first_frame} with {part.levels} levels; "
                    f"expected frame {following} and {parts[0].levels} levels. Give all parts of one stream, in order."
                )
            following += len(part)
        slots = tuple(slots for part in parts for slots in part.slots)
        regions = tuple(regions for part in parts for regions in part.regions)
        return Supervoxels(parts[0].first_frame, slots, regions)
