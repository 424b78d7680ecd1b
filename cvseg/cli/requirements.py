"""Which packages cvseg asks for, which are there, and whether their versions fit. Standard library only: `cvseg doctor`
must run where NumPy does not."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

_REQUIREMENT = re.compile(r"""^\s*([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*\(?([^;)]*)\)?\s*(?:;\s*(.*))?$""")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")
_CLAUSE = re.compile(r"(>=|<=|==|!=|>|<)\s*([0-9][0-9A-Za-z.]*)")


@dataclass(frozen=True)
class Requirement:
    """One line of setup.py: a distribution, the versions that fit, and the extra it belongs to ("" for the core)."""

    name: str
    versions: str
    extra: str


@dataclass(frozen=True)
class Found:
    """A requirement beside what is installed; `version` is None where nothing is."""

    requirement: Requirement
    version: str | None

    @property
    def fits(self) -> bool:
        return self.version is not None and version_fits(self.version, self.requirement.versions)


def version_fits(version: str, clauses: str) -> bool:
    """Whether `version` satisfies all `clauses`; only numbers count, so that 2.0rc1 is read as 2.0.

    >>> version_fits("1.26.4", ">=2.0"), version_fits("8.3.0", ">=8.1,!=8.3.0"), version_fits("8.10", ">=8.1,<9")
    (False, False, True)
    """
    have = _numbers(version)
    for sign, text in _CLAUSE.findall(clauses):
        want = _numbers(text)
        length = max(len(have), len(want))
        a, b = have + (0,) * (length - len(have)), want + (0,) * (length - len(want))
        fits = {">=": a >= b, "<=": a <= b, "==": a == b, "!=": a != b, ">": a > b, "<": a < b}[sign]
        if not fits:
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    numbers = []
    for part in version.split("+")[0].split("."):
        digits = re.match(r"\d+", part)
        if not digits:
            break
        numbers.append(int(digits[0]))
        if digits[0] != part:
            break
    return tuple(numbers)


def parse_requirement(line: str, extra: str = "") -> Requirement | None:
    """One requirement line as setup.py or the installed metadata writes it; None if its marker is not about an extra.

    >>> parse_requirement('click!=8.3.0,>=8.1; extra == "x"')
    Requirement(name='click', versions='!=8.3.0,>=8.1', extra='x')
    """
    match = _REQUIREMENT.match(line)
    if not match:
        return None
    marker = _EXTRA.search(match[3] or "")
    return Requirement(match[1], match[2].strip(), marker[1] if marker else extra)


def requirements() -> list[Requirement]:
    """Everything setup.py asks for: from the checkout where there is one, else from the installed metadata."""
    setup = Path(__file__).resolve().parents[2] / "setup.py"
    if setup.is_file():
        lines = _read_setup(setup)
    else:
        try:
            lines = [(line, "") for line in metadata.requires("cvseg") or []]
        except metadata.PackageNotFoundError:
            lines = []
    parsed = [parse_requirement(line, extra) for line, extra in lines]
    return [requirement for requirement in parsed if requirement is not None]


def _read_setup(path: Path) -> list[tuple[str, str]]:
    """(line, extra) for the literal lists CORE, CUDA12, CUDA13 and the literal dict EXTRAS of setup.py."""
    values = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                values[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue  # not a literal: computed from the others
    lines = [(line, "") for line in values.get("CORE", [])]
    extras = {**values.get("EXTRAS", {}), "cuda12": values.get("CUDA12", []), "cuda13": values.get("CUDA13", [])}
    return lines + [(line, extra) for extra, members in extras.items() for line in members]


def installed_version(name: str) -> str | None:
    """Version of an installed distribution, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def find_all() -> list[Found]:
    """Every requirement beside what is installed; the core first."""
    unique = {(r.name, r.extra): r for r in requirements() if r.extra != "all"}
    return [Found(requirement, installed_version(requirement.name)) for requirement in unique.values()]
