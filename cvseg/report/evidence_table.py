"""The report's table of evidence: what spoke for each object, on average over its pixels and frames."""

from __future__ import annotations

from cvseg.records import EVIDENCE_TERMS
from cvseg.report.overlay import track_color
from cvseg.report.run_record import RunRecord

# More rows than this say nothing to a reader; the longest tracks are shown.
MOST_ROWS = 60
FULL = 1.5  # a bar of this strength fills its half of the column
HEADS = {
    "motion": "this frame's flow",
    "time": "other frames",
    "location": "surroundings, distance",
    "appearance": "colours",
    "background": "model of a still view",
    "outline": "overruled by the cut",
}
EXPLANATION = (
    "Mean over all pixels of the object, in all its frames. Orange speaks for the object, blue against it; the terms "
    "of a row add up to its sum. explain/ shows the same for every pixel, explain.csv for every frame."
)


def evidence_section(record: RunRecord) -> str:
    """One row per track that has evidence, or nothing where none has. Returns HTML."""
    explained = {number: track for number, track in record.tracks.items() if track.evidence_sums}
    if not explained:
        return ""
    longest = sorted(explained, key=lambda n: (-len(explained[n].frames), n))[:MOST_ROWS]
    rows = []
    for number in sorted(longest):
        track = explained[number]
        means = track.mean_evidence()
        cells = "".join(f"<td>{_bar(means[name])}</td>" for name in EVIDENCE_TERMS)
        red, green, blue = track_color(number)
        rows.append(
            f'<tr><th scope="row"><i style="background:rgb({red},{green},{blue})"></i>{number}</th>{cells}'
            f"<td>{sum(means.values()):+.2f}</td><td>{track.mean_confidence():.2f}</td><td>{len(track.frames)}</td></tr>"
        )
    heads = "".join(f"<th>{name}<br><small>{HEADS[name]}</small></th>" for name in EVIDENCE_TERMS)
    left_out = len(explained) - len(longest)
    note = f'<p class="quiet">The {len(longest)} longest tracks; {left_out} shorter ones are in explain.csv.</p>'
    return (
        f'<section><h2>Why these pixels</h2><p class="hint">{EXPLANATION}</p><div class="scroll">'
        f'<table class="figures evidence"><thead><tr><th>track</th>{heads}<th>sum</th><th>confidence</th>'
        f"<th>frames</th></tr></thead><tbody>{''.join(rows)}</tbody></table></div>{note if left_out else ''}</section>"
    )


def _bar(value: float) -> str:
    """A bar from the middle, to the right for the object, and the number."""
    share = min(abs(value) / FULL, 1.0) * 50
    side, mood = ("left", "for") if value > 0 else ("right", "against")
    return f'<span class="term"><i class="{mood}" style="{side}:50%;width:{share:.1f}%"></i></span>{value:+.2f}'
