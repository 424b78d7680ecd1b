"""The benchmark of regions runs and prints a ratio for each peer."""

import re

import numpy as np
import pytest

from benchmarks.speed import regions as benchmark


def test_every_row_has_a_time_and_ratios(capsys):
    assert benchmark.main(["--size", "40x60", "--repeats", "1", "--only", "components"]) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    assert len(lines) == 9
    for line in lines:
        numbers = [float(number) for number in re.findall(r"\d+\.\d+", line)]
        assert len(numbers) >= 2 and min(numbers) >= 0


def test_what_is_compared_gives_the_same():
    pytest.importorskip("cv2")
    import cv2

    for operation, picture, ours, peers in benchmark.rows(benchmark.pictures((61, 83)), cv2):
        if operation.startswith(("erode", "dilate", "opening", "distance")):
            result = np.asarray(ours(), np.float64)
            for peer, call in peers.items():
                if (peer, operation.split()[0]) == ("scipy", "dilate") or "opening" in operation:
                    continue  # another border; the tests of morphology compare them
                np.testing.assert_allclose(
                    np.asarray(call(), np.float64), result, atol=1e-5, err_msg=f"{operation} {picture} {peer}"
                )
