"""Options: frozen, checked once, documented where they are declared."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest

from cvseg.errors import OptionError
from cvseg.options import Options, option


@dataclass(frozen=True, kw_only=True)
class SampleOptions(Options):
    smoothness: float = option(0.05, "larger gives smoother flow", low=1e-6, high=10)
    iterations: int = option(20, "larger converges further", low=1)
    radius: int = option(3, "larger blurs more", low=0, high=9, unit=" px")
    mode: str = option("fast", "what to favour", choices=("fast", "exact"))
    refine: bool = option(True, "one more pass")
    limit: int | None = option(None, "none: no limit")


@dataclass(frozen=True, kw_only=True)
class OuterOptions(Options):
    inner: SampleOptions = SampleOptions()
    scale: float = option(1.0, "larger shows more")


def test_the_declaration_holds_default_range_unit_and_documentation():
    field = {f.name: f for f in dataclasses.fields(SampleOptions)}["radius"]
    assert field.default == 3
    assert field.metadata == {"doc": "larger blurs more", "low": 0, "high": 9, "choices": (), "unit": " px"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"smoothness": 0.0}, "SampleOptions: smoothness is 0.0; expected at least 1e-06 and at most 10."),
        ({"smoothness": float("nan")}, "SampleOptions: smoothness is nan; expected at least 1e-06 and at most 10."),
        ({"smoothness": "much"}, "SampleOptions: smoothness is 'much'; expected a number."),
        ({"smoothness": True}, "SampleOptions: smoothness is True; expected a number."),
        ({"iterations": 0}, "SampleOptions: iterations is 0; expected at least 1."),
        ({"iterations": 2.5}, "SampleOptions: iterations is 2.5; expected a whole number."),
        ({"iterations": True}, "SampleOptions: iterations is True; expected a whole number."),
        ({"radius": 10}, "SampleOptions: radius is 10 px; expected at least 0 and at most 9."),
        ({"mode": "fats"}, "SampleOptions: mode is 'fats'; did you mean 'fast'? Valid: exact, fast."),
        ({"refine": 1}, "SampleOptions: refine is 1; expected true or false."),
    ],
)
def test_a_bad_value_is_named_with_what_is_expected(values, message):
    with pytest.raises(OptionError) as caught:
        SampleOptions(**values)
    assert str(caught.value) == message


def test_whole_numbers_pass_as_numbers_and_the_ends_of_a_range_belong_to_it():
    options = SampleOptions(smoothness=10, iterations=1, radius=9, mode="exact", refine=False, limit=4)
    assert (options.smoothness, options.limit) == (10, 4)


def test_options_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        SampleOptions().radius = 4


def test_replacing_checks_again():
    with pytest.raises(OptionError, match="radius is -1 px"):
        dataclasses.replace(SampleOptions(), radius=-1)


def test_positions_mean_nothing():
    with pytest.raises(TypeError):
        SampleOptions(0.1)


def test_a_mapping_gives_the_same_options():
    options = SampleOptions(radius=1, mode="exact")
    assert SampleOptions.from_mapping(options.to_mapping()) == options
    assert SampleOptions.from_mapping({}) == SampleOptions()


def test_an_unknown_key_is_named_with_the_nearest_one():
    with pytest.raises(OptionError, match=r"SampleOptions: unknown option 'radios'; did you mean 'radius'\? Valid: "):
        SampleOptions.from_mapping({"radios": 3})


def test_nested_options_become_nested_mappings():
    assert OuterOptions().to_mapping()["inner"] == SampleOptions().to_mapping()


def test_a_nested_table_exchanges_only_what_it_names():
    options = OuterOptions(inner=SampleOptions(radius=2), scale=3.0)
    changed = options.replaced({"inner": {"iterations": 5}})
    assert changed == OuterOptions(inner=SampleOptions(radius=2, iterations=5), scale=3.0)
    assert OuterOptions.from_mapping(options.to_mapping()) == options
    with pytest.raises(OptionError, match="SampleOptions: unknown option 'radios'"):
        options.replaced({"inner": {"radios": 5}})
    with pytest.raises(OptionError, match="OuterOptions: inner is 5; expected SampleOptions or a table"):
        options.replaced({"inner": 5})
