"""Everything that runs once per pixel, label or particle. Each kernel is a pair: `name.py` (CPU) and `name.cu` (CUDA).

``KERNELS`` is the catalogue (see catalogue.py); it is loaded at first use because it brings Numba.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "KERNELS":
        from cvseg.kernels.catalogue import KERNELS

        return KERNELS
    raise AttributeError(f"module 'cvseg.kernels' has no attribute {name!r}")
