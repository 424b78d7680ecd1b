"""Folders that grow by a file a frame are finished whatever ends the run."""

from __future__ import annotations

import os
import signal
import time

import pytest

from cvseg.cli.run import finishing
from cvseg.errors import FrameDecodeError


class Folder:
    def __init__(self):
        self.files, self.ended = 0, []

    def end(self, status="complete", message=""):
        self.ended.append((status, message))


def test_a_run_that_ends_well_is_complete():
    folder = Folder()
    with finishing(folder, "out", "flows"):
        folder.files = 2
    assert folder.ended == [("complete", "")]


@pytest.fixture
def heeded():
    """``heeded(number)``: as in a terminal, though whoever runs the tests, as ``nohup`` does, has it passed over."""
    before = {}

    def heed(number):
        before[number] = signal.getsignal(number)
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

    yield heed
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_request_to_end_keeps_what_is_finished(number, code, capsys, heeded):
    folder = Folder()
    heeded(number)
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as caught, finishing(folder, "out", "flows"):
        folder.files = 3
        os.kill(os.getpid(), number)
        time.sleep(5)
    assert caught.value.code == code
    assert folder.ended == [("interrupted", "Stopped after 3 flows.")]
    assert capsys.readouterr().err == "cvseg: stopped; 3 flows are kept in out.\n"
    assert signal.getsignal(number) is before


def test_an_error_says_what_is_kept_and_the_folder_is_ended_once():
    folder = Folder()
    kept = pytest.raises(FrameDecodeError, match=r"Damaged\. The 4 flows before that are kept in out\.")
    with kept, finishing(folder, "out", "flows"):
        folder.files = 4
        raise FrameDecodeError("Damaged.")
    assert folder.ended == [("failed", "Damaged.")]


def test_an_unforeseen_error_ends_the_folder_and_goes_on():
    folder = Folder()
    with pytest.raises(ZeroDivisionError), finishing(folder, "out", "flows"):
        raise ZeroDivisionError("why")
    assert folder.ended == [("failed", "ZeroDivisionError: why")]
