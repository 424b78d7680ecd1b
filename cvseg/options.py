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
        return cls().replaced(values)

    def replaced(self: OptionsType, values: Mapping[str, Any]) -> OptionsType:
        """These options with some values exchanged; a table exchanges some values of nested options.

        Raises
        ------
        OptionError
        """
        owner, names = type(self).__name__, [field.name for field in dataclasses.fields(self)]
        exchanged = {}
        for key, value in values.items():
            if key not in names:
                raise OptionError(f"{owner}: unknown option '{key}'; {nearest_name(str(key), names)}")
            before = getattr(self, key)
            if isinstance(before, Options) and isinstance(value, Mapping):
                value = before.replaced(value)
            elif isinstance(before, Options) and not isinstance(value, type(before)):
                raise OptionError(
                    f"{owner}: {key} is {value!r}; expected {type(before).__name__} or a table of its values."
                )
            exchanged[key] = value
        return dataclasses.replace(self, **exchanged)

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
