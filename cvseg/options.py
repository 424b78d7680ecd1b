"""Options: frozen dataclasses whose fields carry documentation, range and unit. The only place a default stands."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from cvseg.errors import OptionError, nearest_name

OptionsType = TypeVar("OptionsType", bound="Options")


def option(
    default: Any,
    doc: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[str] | None = None,
    unit: str = "",
) -> Any:
    """Declare one field of an `Options` class; `doc` says what a larger value does."""
    return dataclasses.field(
        default=default,
        metadata={"doc": doc, "low": low, "high": high, "choices": tuple(choices or ()), "unit": unit},
    )


@dataclass(frozen=True, kw_only=True)
class Options:
    """Base of all option classes; checks every value once, when it is made.

    Raises
    ------
    OptionError
        when a value has the wrong type or lies outside its range.
    """

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check_value(type(self).__name__, field, getattr(self, field.name))

    @classmethod
    def from_mapping(cls: type[OptionsType], values: Mapping[str, Any]) -> OptionsType:
        """Build from a TOML table or a dict; an unknown key is an `OptionError` that names the nearest one."""
        names = [field.name for field in dataclasses.fields(cls)]
        for key in values:
            if key not in names:
                raise OptionError(f"{cls.__name__}: unknown option '{key}'; {nearest_name(key, names)}")
        return cls(**values)

    def to_mapping(self) -> dict[str, Any]:
        """All values by name, ready for JSON or TOML; nested options become nested dicts."""
        return dataclasses.asdict(self)


def _check_value(owner: str, field: dataclasses.Field[Any], value: Any) -> None:
    if not field.metadata:
        return
    low, high, choices = field.metadata["low"], field.metadata["high"], field.metadata["choices"]
    name = f"{owner}: {field.name}"
    if value is None and field.default is None:
        return
    if choices and value not in choices:
        raise OptionError(f"{name} is {value!r}; {nearest_name(str(value), choices)}")
    default = field.default
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise OptionError(f"{name} is {value!r}; expected true or false.")
        return
    if isinstance(default, int) and (isinstance(value, bool) or not isinstance(value, int)):
        raise OptionError(f"{name} is {value!r}; expected a whole number.")
    if isinstance(default, float) and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise OptionError(f"{name} is {value!r}; expected a number.")
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        raise OptionError(
            f"{name} is {value}{field.metadata['unit']}; expected "
            f"{'' if low is None else f'at least {low}'}{' and ' if low is not None and high is not None else ''}"
            f"{'' if high is None else f'at most {high}'}."
        )
