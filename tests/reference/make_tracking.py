"""Makes tracking.json: random tracks and masks with the figures that TrackEval and py-motmetrics give for them.

Needs an environment of its own with `trackeval`, `motmetrics` and `pycocotools`; see README.md.
"""

import contextlib
import io
import json
import tempfile
from importlib.metadata import version
from pathlib import Path

import motmetrics
import numpy as np
from pycocotools import mask as coco_mask
from trackeval.datasets import MotChallenge2DBox, MOTSChallenge
from trackeval.metrics import CLEAR, HOTA, Identity

SEED = 8
BY_ALPHA = ("HOTA", "DetA", "AssA", "LocA", "HOTA_TP")
LEFT_OUT = ("CLR_Frames", "FP_per_frame", "MOTAL", "MOTP_sum", "MTR", "PTR", "MLR")


def box_lines(rng, length):
    """Lines of gt.txt and of a result: objects that come, go, cross and are renamed, some of them distractors."""
    count = int(rng.integers(4, 7))
    place, speed = rng.uniform(0, 60, (count, 2)), rng.normal(0, 3, (count, 2))
    size, kinds = rng.uniform(10, 25, (count, 2)), rng.choice([1, 1, 1, 1, 1, 1, 7, 8], count)
    names, fresh = {i: 10 + i for i in range(count)}, 100
    truth, result = [], []
    for frame in range(1, length + 1):
        nobody, nothing = rng.random(2) < 0.06
        used = set()
        for i in rng.permutation(count):
            left_top = np.round(place[i] + speed[i] * frame)
            sides = np.round(size[i])
            flag = 0 if kinds[i] != 1 or rng.random() < 0.05 else 1
            if rng.random() < 0.85 and not nobody:
                row = [frame, i + 1, *left_top, *sides, flag, kinds[i], 1]
                truth.append(",".join(f"{value:g}" for value in row))
            if rng.random() < 0.1:
                names[i], fresh = fresh, fresh + 1
            if rng.random() < 0.1:
                j = int(rng.integers(count))
                names[i], names[j] = names[j], names[i]
            for shake, chance, name in ((2.5, 0.85, names[i]), (3.0, 0.06, fresh)):
                if rng.random() < chance and name not in used and not nothing:
                    used.add(name)
                    fresh = max(fresh, name + 1)
                    box = [*np.round(left_top + rng.normal(0, shake, 2), 1), *np.round(sides + rng.normal(0, 2, 2), 1)]
                    result.append(",".join(f"{value:g}" for value in [frame, name, *box, 1, -1, -1, -1]))
    return truth, result


def mask_lines(rng, length, height, width):
    """Lines of MOTS files: discs of two classes, and a corner that is ignored."""
    count = int(rng.integers(3, 5))
    place, speed = rng.uniform(0, 1, (count, 2)) * [width, height], rng.normal(0, 2, (count, 2))
    radius, kinds = rng.uniform(5, 11, count), rng.choice([1, 2, 2], count)
    names, fresh = {i: kinds[i] * 1000 + 10 + i for i in range(count)}, 50
    y, x = np.mgrid[:height, :width]
    truth, result = [], []
    for frame in range(1, length + 1):
        maps = np.zeros((2, height, width), int)
        maps[0, : height // 3, : width // 3] = 10000
        for i in range(count):
            center = place[i] + speed[i] * frame
            if rng.random() < 0.9:
                maps[0][(x - center[0]) ** 2 + (y - center[1]) ** 2 < radius[i] ** 2] = kinds[i] * 1000 + i + 1
            if rng.random() < 0.12:
                names[i], fresh = kinds[i] * 1000 + fresh, fresh + 1
            if rng.random() < 0.9:
                center = center + rng.normal(0, 2, 2)
                maps[1][(x - center[0]) ** 2 + (y - center[1]) ** 2 < radius[i] ** 2] = names[i]
        if rng.random() < 0.5:
            center = rng.uniform(0, 1, 2) * [width / 3, height / 3]
            maps[1][(x - center[0]) ** 2 + (y - center[1]) ** 2 < 30] = 2000 + fresh
            fresh += 1
        for labels, lines in zip(maps, (truth, result), strict=True):
            for name in np.unique(labels[labels > 0]):
                counts = coco_mask.encode(np.asfortranarray(labels == name))["counts"].decode()
                lines.append(f"{frame} {name} {name // 1000} {height} {width} {counts}")
    return truth, result


def trackeval_figures(dataset, sequences, **settings):
    """Figures of each sequence and of all together."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        root = Path(folder)
        (root / "tracker").mkdir()
        for name, one in sequences.items():
            (root / "truth" / name / "gt").mkdir(parents=True)
            (root / "truth" / name / "gt" / "gt.txt").write_text("\n".join(one["truth"]) + "\n")
            (root / "truth" / name / "seqinfo.ini").write_text(f"[Sequence]\nseqLength={one['length']}\n")
            (root / "tracker" / f"{name}.txt").write_text("\n".join(one["result"]) + "\n")
        data = dataset(
            {
                "GT_FOLDER": str(root / "truth"),
                "TRACKERS_FOLDER": str(root),
                "TRACKERS_TO_EVAL": ["tracker"],
                "TRACKER_SUB_FOLDER": "",
                "SKIP_SPLIT_FOL": True,
                "SEQ_INFO": dict.fromkeys(sequences),
                "PRINT_CONFIG": False,
                "OUTPUT_FOLDER": str(root / "out"),
            }
            | settings
        )
        metrics = [HOTA(), CLEAR(), Identity()]
        found = {
            name: [
                metric.eval_sequence(
                    data.get_preprocessed_seq_data(data.get_raw_seq_data("tracker", name), "pedestrian")
                )
                for metric in metrics
            ]
            for name in sequences
        }
        found["COMBINED"] = [
            metric.combine_sequences({name: found[name][i] for name in sequences}) for i, metric in enumerate(metrics)
        ]
    return {name: figures(parts) for name, parts in found.items()}


def figures(parts):
    row = {}
    for part in parts:
        for key, value in part.items():
            if key not in LEFT_OUT:
                row[key] = float(np.mean(value))
            if key in BY_ALPHA:
                row[f"{key} by alpha"] = [round(float(v), 12) for v in value]
    return row


def motmetrics_figures(one):
    truth, result = (np.array([line.split(",") for line in one[role]], float) for role in ("truth", "result"))
    truth = truth[truth[:, 6] != 0]
    events = motmetrics.MOTAccumulator(auto_id=True)
    for frame in range(1, one["length"] + 1):
        t, r = truth[truth[:, 0] == frame], result[result[:, 0] == frame]
        # Its own iou_matrix does not run with this NumPy.
        low = np.maximum(t[:, None, 2:4], r[None, :, 2:4])
        high = np.minimum(t[:, None, 2:4] + t[:, None, 4:6], r[None, :, 2:4] + r[None, :, 4:6])
        shared = np.maximum(high - low, 0).prod(-1)
        distances = 1 - shared / (t[:, None, 4:6].prod(-1) + r[None, :, 4:6].prod(-1) - shared)
        events.update(t[:, 1].astype(int), r[:, 1].astype(int), np.where(distances > 0.5, np.nan, distances))
    wanted = ("idf1", "idp", "idr", "recall", "precision", "mostly_tracked", "partially_tracked", "mostly_lost")
    wanted += ("num_false_positives", "num_misses", "num_switches", "num_fragmentations", "mota", "motp")
    found = motmetrics.metrics.create().compute(events, metrics=list(wanted), return_dataframe=False)
    return {key: float(value) for key, value in found.items()}


def main():
    rng = np.random.default_rng(SEED)
    boxes, masks = {}, {}
    for name, length in (("MOT16-91", 12), ("MOT16-92", 17), ("MOT16-93", 9)):
        truth, result = box_lines(rng, length)
        boxes[name] = {"length": length, "truth": truth, "result": result}
    for name, length in (("MOTS20-91", 8), ("MOTS20-92", 10)):
        truth, result = mask_lines(rng, length, 37, 53)
        masks[name] = {"length": length, "truth": truth, "result": result}
    settings = {"BENCHMARK": "MOT16"}
    found = {
        "programs": {name: version(name) for name in ("trackeval", "motmetrics", "pycocotools")},
        "boxes": boxes,
        "masks": masks,
        "boxes with preprocessing": trackeval_figures(MotChallenge2DBox, boxes, DO_PREPROC=True, **settings),
        "boxes without preprocessing": trackeval_figures(MotChallenge2DBox, boxes, DO_PREPROC=False, **settings),
        "boxes by motmetrics": {name: motmetrics_figures(one) for name, one in boxes.items()},
        "masks of class 2": trackeval_figures(MOTSChallenge, masks),
    }
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in found.items())
    Path(__file__).with_name("tracking.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
