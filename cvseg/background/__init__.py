"""Background models for cameras that stand still: one table of methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cvseg.background.flux_tensor_2007 import FluxTensor, FluxTensorOptions
from cvseg.background.fused import FusedBackground
from cvseg.background.fused_options import FusedBackgroundOptions
from cvseg.background.gaussian_mixture_2004 import GaussianMixture, GaussianMixtureOptions
from cvseg.background.model import BackgroundModel
from cvseg.background.result import BackgroundResult
from cvseg.background.running_gaussian_1997 import RunningGaussian, RunningGaussianOptions
from cvseg.background.sample_consensus_2015 import SampleConsensus, SampleConsensusOptions
from cvseg.errors import OptionError, nearest_name
from cvseg.options import Options


@dataclass(frozen=True)
class BackgroundMethod:
    """One row of `BACKGROUND_METHODS`.

    Attributes
    ----------
    model : ``model(options)`` makes an object with ``update(image, *, learning_rate=None) -> BackgroundResult``,
        ``reset()``, ``state_dict()`` and ``load_state_dict(state)``
    options : its class of options
    """

    model: Callable[..., Any]
    options: type[Options]


BACKGROUND_METHODS = {
    "fused": BackgroundMethod(FusedBackground, FusedBackgroundOptions),
    "flux_tensor": BackgroundMethod(FluxTensor, FluxTensorOptions),
    "gaussian_mixture": BackgroundMethod(GaussianMixture, GaussianMixtureOptions),
    "running_gaussian": BackgroundMethod(RunningGaussian, RunningGaussianOptions),
    "sample_consensus": BackgroundMethod(SampleConsensus, SampleConsensusOptions),
}
# A name for what is wanted, instead of a method
BACKGROUND_PRESETS = {
    "fast": "running_gaussian",
    "balanced": "gaussian_mixture",
    "quality": "fused",
}

__all__ = [
    "BACKGROUND_METHODS",
    "BACKGROUND_PRESETS",
    "BackgroundMethod",
    "BackgroundModel",
    "BackgroundResult",
    "FluxTensor",
    "FluxTensorOptions",
    "FusedBackground",
    "FusedBackgroundOptions",
    "GaussianMixture",
    "GaussianMixtureOptions",
    "RunningGaussian",
    "RunningGaussianOptions",
    "SampleConsensus",
    "SampleConsensusOptions",
    "background_model",
]


def background_model(method: str = "fused", options: Options | None = None) -> Any:
    """A fresh background model.

    Parameters
    ----------
    method : a key of `BACKGROUND_METHODS`, or of `BACKGROUND_PRESETS`: "fast", "balanced" or "quality"
    options : of that method's class; None takes the defaults

    Raises
    ------
    OptionError
        for an unknown method, or options of another method.

    Examples
    --------
    >>> type(background_model("fast")).__name__
    'RunningGaussian'
    """
    method = BACKGROUND_PRESETS.get(method, method)
    if method not in BACKGROUND_METHODS:
        known = [*BACKGROUND_METHODS, *BACKGROUND_PRESETS]
        raise OptionError(f"background_model: unknown method '{method}'; {nearest_name(method, known)}")
    row = BACKGROUND_METHODS[method]
    if options is not None and not isinstance(options, row.options):
        raise OptionError(
            f"background_model: options are {type(options).__name__}; method '{method}' needs {row.options.__name__}."
        )
    return row.model(options)
