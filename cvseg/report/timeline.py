"""Draws when each track is seen, and how large it is, as an SVG picture."""

from __future__ import annotations

from collections.abc import Callable

from cvseg.report.run_record import RunRecord, TrackRecord

ROW_PX, LEFT_PX, RIGHT_PX, WIDTH_PX, AXIS_PX = 26, 46, 92, 1000, 26
# More rows than this say nothing to a reader; the longest tracks are drawn.
MOST_ROWS = 60
# A gap of one or two frames would be thinner than a pixel: the span goes on.
BRIDGED_FRAMES = 2
# Points per span: the drawing is 862 px wide.
MOST_POINTS = 240


def draw_timeline(record: RunRecord, color: Callable[[int], tuple[int, int, int]]) -> str:
    """One row per track: a bar where it is seen, filled as high as it is large. Returns SVG, or a sentence if empty."""
    if not record.tracks:
        return '<p class="quiet">No track was found: nothing moved against its surroundings, or it was too small.</p>'
    numbers = sorted(record.tracks, key=lambda n: (-len(record.tracks[n].frames), n))[:MOST_ROWS]
    numbers.sort()
    height = len(numbers) * ROW_PX + AXIS_PX
    rows = [_row(i, n, record.tracks[n], record, color(n)) for i, n in enumerate(numbers)]
    left_out = len(record.tracks) - len(numbers)
    note = f'<p class="quiet">The {len(numbers)} longest tracks; {left_out} shorter ones are in tracks.txt.</p>'
    return (
        f'<svg viewBox="0 0 {WIDTH_PX} {height}" role="img" aria-label="Timeline of {len(numbers)} tracks">'
        f"{_axis(record, len(numbers) * ROW_PX)}{''.join(rows)}</svg>{note if left_out else ''}"
    )


def _x(frame: float, record: RunRecord) -> float:
    """Place of a frame on the axis; the axis counts frames, so that a row is even also at a variable rate."""
    span = max(1, record.frame_count)
    return LEFT_PX + (frame - record.first_frame) / span * (WIDTH_PX - LEFT_PX - RIGHT_PX)


def _axis(record: RunRecord, bottom: int) -> str:
    marks = []
    for frame in _ticks(record.frame_count):
        x = _x(frame + record.first_frame, record)
        time_s = record.times_s[min(frame, record.frame_count - 1)]
        marks.append(
            f'<line class="grid" x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{bottom}"/>'
            f'<text class="tick" x="{x:.1f}" y="{bottom + 18}">{frame + record.first_frame}'
            f'<tspan class="time"> {time_s:.1f} s</tspan></text>'
        )
    return "".join(marks)


def _ticks(frames: int) -> list[int]:
    """At most eight round frame numbers."""
    step = 1
    while frames / step > 8:
        # 1, 2, 5, 10, 20, 50, ...
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return list(range(0, frames, step))


def _row(row: int, number: int, track: TrackRecord, record: RunRecord, rgb: tuple[int, int, int]) -> str:
    top, bottom = row * ROW_PX + 4, (row + 1) * ROW_PX - 4
    color = f"rgb({rgb[0]},{rgb[1]},{rgb[2]})"
    largest = max(track.areas_px)
    parts = []
    for first, end in _spans(track):
        x0, x1 = _x(track.frames[first], record), _x(track.frames[end - 1] + 1, record)
        parts.append(
            f'<rect x="{x0:.1f}" y="{top}" width="{max(1.5, x1 - x0):.1f}" height="{bottom - top}" rx="3" '
            f'fill="{color}" fill-opacity="0.28"/>'
        )
        stride = max(1, (end - first) // MOST_POINTS)
        levels = [bottom - (bottom - top) * area / largest for area in track.areas_px[first:end:stride]]
        xs = [_x(frame + 0.5, record) for frame in track.frames[first:end:stride]]
        # Straight up at both ends: a track begins and ends within one frame.
        corners = [(x0, bottom), (x0, levels[0]), *zip(xs, levels, strict=True), (x1, levels[-1]), (x1, bottom)]
        points = [f"{x:.1f},{y:.1f}" for x, y in corners]
        parts.append(f'<polygon points="{" ".join(points)}" fill="{color}" fill-opacity="0.85"/>')
    seen = len(track.frames)
    mean = sum(track.areas_px) / seen
    title = (
        f"track {number}: frames {track.frames[0]} to {track.frames[-1]}, seen in {seen}, "
        f"{mean:.0f} px on average, {largest} px at most"
    )
    middle = (top + bottom) / 2 + 4
    return (
        f"<g><title>{title}</title>"
        f'<rect x="2" y="{top}" width="34" height="{bottom - top}" rx="5" fill="{color}"/>'
        f'<text class="id" x="19" y="{middle:.1f}">{number}</text>{"".join(parts)}'
        f'<text class="size" x="{WIDTH_PX - 4}" y="{middle:.1f}">{_thousands(mean)} px</text></g>'
    )


def _thousands(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\u202f")


def _spans(track: TrackRecord) -> list[tuple[int, int]]:
    """Half-open ranges of positions in `track.frames` without a gap of more than `BRIDGED_FRAMES`."""
    spans, first = [], 0
    for i in range(1, len(track.frames)):
        if track.frames[i] - track.frames[i - 1] > BRIDGED_FRAMES + 1:
            spans.append((first, i))
            first = i
    return [*spans, (first, len(track.frames))]
