"""`run_bands` and `run_together`: every row once, errors come out, nothing waits for a free thread."""

from __future__ import annotations

import multiprocessing
import threading

import numpy as np
import pytest

from cvseg.errors import OptionError
from cvseg.kernels.bands import available_share, run_alone, run_bands, run_together, thread_count


def bands_of(rows, **options):
    """The bands that run_bands makes, in order."""
    seen = []
    run_bands(lambda first, end: seen.append((first, end)), rows, **options)
    return sorted(seen)


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("rows", [0, 1, 47, 48, 95, 96, 97, 480, 1081])
def test_bands_cover_every_row_once(use_threads, threads, rows):
    use_threads(threads)
    bands = bands_of(rows)
    assert [row for first, end in bands for row in range(first, end)] == list(range(rows))
    assert len(bands) == max(1, min(threads, rows // 48))


@pytest.mark.parametrize("align", [2, 8, 16])
def test_band_edges_are_aligned_and_still_cover_every_row(use_threads, align):
    use_threads(5)
    bands = bands_of(333, least=10, align=align)
    assert len(bands) == 5
    assert all(first % align == 0 for first, _ in bands)
    assert [row for first, end in bands for row in range(first, end)] == list(range(333))


def test_bands_run_on_as_many_threads_at_a_time(use_threads):
    use_threads(3)
    meeting = threading.Barrier(3, timeout=20)  # breaks, and so fails, unless three bands are under way together
    run_bands(lambda first, end: meeting.wait(), 300, least=100)


def test_an_error_in_a_band_reaches_the_caller(use_threads):
    use_threads(4)

    def fail_late(first, end):
        if first > 0:
            raise ZeroDivisionError(f"rows {first} to {end}")

    with pytest.raises(ZeroDivisionError, match="rows 100 to 200"):
        run_bands(fail_late, 400, least=100)


def test_results_come_in_the_order_of_the_tasks(use_threads):
    use_threads(4)
    assert run_together(*(lambda n=n: n * n for n in range(50))) == [n * n for n in range(50)]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_tasks_may_use_bands_themselves(use_threads, threads):
    use_threads(threads)
    sums = np.zeros((8, 480), np.int64)

    def task(number):
        def band(first, end):
            sums[number, first:end] += number + 1

        return lambda: run_together(lambda: run_bands(band, 480), lambda: number)[1]

    assert run_together(*(task(number) for number in range(8))) == list(range(8))
    assert (sums == np.arange(1, 9)[:, None]).all()


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5"])
def test_a_bad_number_of_threads_is_refused(use_threads, monkeypatch, text):
    use_threads(1)
    monkeypatch.setenv("CVSEG_NUM_THREADS", text)
    with pytest.raises(OptionError, match=f"CVSEG_NUM_THREADS is '{text}'"):
        thread_count()


def test_the_number_of_threads_defaults_to_the_cores(use_threads, monkeypatch):
    use_threads(3)
    assert thread_count() == 3
    thread_count.cache_clear()
    monkeypatch.delenv("CVSEG_NUM_THREADS")
    assert 1 <= thread_count() <= multiprocessing.cpu_count()


def test_what_runs_alone_is_not_divided(use_threads):
    use_threads(4)
    bands = []
    assert run_alone(lambda: run_bands(lambda *rows: bands.append(rows), 4000) or available_share()) == 1
    assert bands == [(0, 4000)]
    assert available_share() == 4
