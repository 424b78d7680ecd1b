"""How long a file says it is: decoders end quietly where a truncated file ends, so its own header is asked."""

from __future__ import annotations

from typing import BinaryIO

UNKNOWN_EBML_SIZE = {(1 << (7 * length)) - 1 for length in range(1, 9)}
MATROSKA_SEGMENT = 0x18538067
# Some writers pad or miscount the last chunk; a real truncation is longer than that.
RIFF_SLACK_BYTES = 16
TS_SYNC, TS_PACKET = b"G", 188


def missing_bytes(file: BinaryIO, size: int, frame_bytes: int = 0) -> int:
    """Bytes by which the container's header promises more than the file holds; 0 when whole or not knowable.

    Knows ISO media (MP4, MOV), RIFF (AVI), Matroska (MKV, WebM), YUV4MPEG, and the packets of MPEG-TS. Streams made
    to be cut anywhere (MPEG-TS between two packets, FLV) have no length; there the decoder may report the broken frame.

    Parameters
    ----------
    file : opened for reading in binary, seekable; its position is moved
    size : length of the file in bytes
    frame_bytes : size of one frame's data, for YUV4MPEG

    References
    ----------
    ISO/IEC 14496-12 section 4.2 (boxes); Microsoft RIFF; RFC 8794 section 6 (EBML element sizes).
    """
    file.seek(0)
    head = file.read(12)
    if head[:4] == b"RIFF":
        return _riff(file, size)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return _matroska(file, size)
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return _iso_media(file, size)
    if head.startswith(b"YUV4MPEG2 ") and frame_bytes:
        return _yuv4mpeg(file, size, frame_bytes)
    if head[:1] == TS_SYNC:
        return _transport_stream(file, size)
    return 0


def iso_box(header: bytes) -> tuple[bytes, int, int] | None:
    """Type, length (0: to the end of the file) and header length of an ISO media box, from its first 16 bytes."""
    if len(header) < 8:
        return None
    length = int.from_bytes(header[:4], "big")
    if length == 1:
        if len(header) < 16:
            return None
        return header[4:8], int.from_bytes(header[8:16], "big"), 16
    return header[4:8], length, 8


def has_iso_index(file: BinaryIO, size: int) -> bool:
    """False for an ISO media file without a moov box: a recording that was never finished."""
    return any(kind == b"moov" for kind, _ in _iso_boxes(file, size))


def _iso_boxes(file: BinaryIO, size: int) -> list[tuple[bytes, int]]:
    boxes = []
    position = 0
    while position < size:
        file.seek(position)
        box = iso_box(file.read(16))
        if box is None:
            boxes.append((b"", size + 1))  # a header cut in two
            break
        kind, length, header = box
        if length and length < header:
            break  # not a box: padding at the end, which players pass over too
        position = position + length if length else size
        boxes.append((kind, position))
    return boxes


def _iso_media(file: BinaryIO, size: int) -> int:
    ends = [end for kind, end in _iso_boxes(file, size) if kind in (b"mdat", b"moov", b"moof", b"")]
    return max(0, max(ends, default=0) - size)


def _riff(file: BinaryIO, size: int) -> int:
    position = 0
    while position < size:
        file.seek(position)
        header = file.read(8)
        length = int.from_bytes(header[4:8], "little")
        if header[:4] != b"RIFF" or length in (0, 0xFFFFFFFF):
            return 0  # a writer that was stopped leaves no length
        position += 8 + length + length % 2
    missing = position - size
    return missing if missing > RIFF_SLACK_BYTES else 0


def _matroska(file: BinaryIO, size: int) -> int:
    position = 0
    for _ in range(8):  # the EBML header, perhaps Void elements, then the one Segment
        file.seek(position)
        data = file.read(16)
        if not data or not data[0]:
            return 0
        id_length = 9 - data[0].bit_length()
        identifier = int.from_bytes(data[:id_length], "big")
        rest = data[id_length:]
        if not rest or not rest[0]:
            return 0
        size_length = 9 - rest[0].bit_length()
        length = int.from_bytes(rest[:size_length], "big") & ((1 << (7 * size_length)) - 1)
        position += id_length + size_length
        if identifier == MATROSKA_SEGMENT:
            return 0 if length in UNKNOWN_EBML_SIZE else max(0, position + length - size)
        position += length
    return 0


def _transport_stream(file: BinaryIO, size: int) -> int:
    """What the last packet lacks, if it begins like one: other bytes behind the last packet are passed over."""
    begin = size // TS_PACKET * TS_PACKET
    for position in (TS_PACKET, begin):
        file.seek(position)
        if file.read(1) != TS_SYNC:
            return 0
    return begin + TS_PACKET - size


def _yuv4mpeg(file: BinaryIO, size: int, frame_bytes: int) -> int:
    file.seek(0)
    header = file.read(4096).partition(b"\n")[0]
    position = len(header) + 1
    file.seek(position)
    if file.read(6) != b"FRAME\n":
        return 0  # frames with parameters: their headers differ in length
    step = 6 + frame_bytes
    return -(size - position) % step
