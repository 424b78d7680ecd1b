"""MOTChallenge's seqinfo.ini: length, size and pictures of a sequence."""

from __future__ import annotations

import configparser
from dataclasses import dataclass
from pathlib import Path

from cvseg.errors import FormatError


@dataclass(frozen=True)
class SequenceInfo:
    """What ``[Sequence]`` says.

    Attributes
    ----------
    name : of the sequence; "" where missing
    length : number of frames
    size_hw : height and width of the pictures; None where missing
    frame_rate : frames a second; None where missing
    image_folder, image_ending : where the pictures lie, "img1" and ".jpg" where missing
    """

    name: str
    length: int
    size_hw: tuple[int, int] | None = None
    frame_rate: float | None = None
    image_folder: str = "img1"
    image_ending: str = ".jpg"


def read_sequence_info(path: str | Path) -> SequenceInfo:
    """Read a seqinfo.ini.

    Raises
    ------
    FormatError
        naming what is missing or no number.
    """
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(Path(path).read_text(encoding="utf-8-sig"), source=str(path))
    except FileNotFoundError:
        raise FormatError(f"{path} does not exist; expected a seqinfo.ini. Check the path.") from None
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        reason = " ".join(str(error).split())
        raise FormatError(f"{path} cannot be read ({reason}); expected a seqinfo.ini of MOTChallenge.") from None
    if not parser.has_section("Sequence"):
        raise FormatError(f"{path} has no [Sequence]; expected a seqinfo.ini of MOTChallenge.")
    section = parser["Sequence"]

    def number(key: str, kind: type[int] | type[float]) -> float | None:
        if key not in section:
            return None
        try:
            value = kind(section[key])
        except ValueError:
            value = kind(0)
        if value <= 0:
            raise FormatError(f"{path}: {key} is {section[key]!r}; expected a number above 0.")
        return value

    length = number("seqLength", int)
    if length is None:
        raise FormatError(f"{path} has no seqLength; expected the number of frames.")
    width, height = number("imWidth", int), number("imHeight", int)
    return SequenceInfo(
        name=section.get("name", ""),
        length=int(length),
        size_hw=(int(height), int(width)) if width and height else None,
        frame_rate=number("frameRate", float),
        image_folder=section.get("imDir", "img1"),
        image_ending=section.get("imExt", ".jpg"),
    )
