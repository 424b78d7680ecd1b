"""cvseg: classical video segmentation, with every per-pixel step as a CPU and a CUDA kernel.

``import cvseg`` loads nothing heavy: NumPy, Numba, CuPy, SciPy and the decoder load at first use.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# In an uninstalled checkout (PYTHONPATH=.) the kernels lie beside the package, not inside it.
_ROOT = Path(__file__).resolve().parent.parent
if (_ROOT / "setup.py").is_file() and (_ROOT / "kernels" / "__init__.py").is_file():
    __path__.append(str(_ROOT))

if TYPE_CHECKING:
    from cvseg.pipeline import Pipeline, PipelineOptions, segment

_HOMES = {"segment": "cvseg.pipeline", "Pipeline": "cvseg.pipeline", "PipelineOptions": "cvseg.pipeline"}
__all__ = ["Pipeline", "PipelineOptions", "__version__", "segment"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'cvseg' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
