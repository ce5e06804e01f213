"""What a person reads, and what a program reads."""

import io
import json
import os

import pytest

from retina_viewer.cli.console import Console, time_left
from retina_viewer.core.errors import UserError


class Terminal(io.StringIO):
    """A stream that a person watches."""

    def isatty(self) -> bool:
        return True


def test_people_read_lines_and_programs_read_events() -> None:
    out, err = io.StringIO(), io.StringIO()
    console = Console(out=out, err=err)
    console.say("a line")
    console.event("written", path="x")
    console.failed(UserError("It broke.", "Mend it."), "eye.png")
    assert out.getvalue() == "a line\n"
    assert err.getvalue() == "eye.png: It broke.\n  Mend it.\n"

    out, err = io.StringIO(), io.StringIO()
    console = Console(as_json=True, out=out, err=err)
    console.say("a line")
    console.failed(UserError("eye.png broke."), "eye.png")
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    assert events == [
        {"event": "failed", "input": "eye.png", "message": "eye.png broke.", "hint": ""}
    ]
    assert err.getvalue() == "eye.png broke.\n"


def test_events_survive_any_encoding() -> None:
    out = io.StringIO()
    Console(as_json=True, out=out).event("written", path="眼底 é.png")
    assert out.getvalue().isascii()
    assert json.loads(out.getvalue())["path"] == "眼底 é.png"


def test_the_bar_is_drawn_on_a_terminal_only_and_goes_away() -> None:
    watched, piped = Terminal(), io.StringIO()
    for err in (watched, piped):
        console = Console(out=io.StringIO(), err=err)
        console.progress("eye.png")(0.5, "Enlarging x4")
        console.say("done")
    assert "[==============              ]  50%  eye.png: Enlarging x4" in watched.getvalue()
    assert watched.getvalue().endswith("\r\x1b[K")
    assert piped.getvalue() == ""


def test_progress_events_are_few_but_the_last_is_certain() -> None:
    out = io.StringIO()
    report = Console(as_json=True, out=out, err=Terminal()).progress("eye.png")
    for step in range(1001):
        report(step / 1000, "Enlarging")
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    assert 2 <= len(events) < 20
    assert events[-1]["fraction"] == 1


def test_the_time_left_is_said_once_it_is_more_than_a_guess() -> None:
    assert time_left(1.9, 0.5) == ""
    assert time_left(60, 0.01) == ""
    assert time_left(20, 0.2) == "1:20 left, "
    assert time_left(99, 1.0) == ""


def test_a_reader_that_has_gone_ends_no_work() -> None:
    class Gone(Terminal):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    closed = io.StringIO()
    closed.close()
    for out, err in ((Gone(), Gone()), (closed, closed)):
        console = Console(as_json=True, out=out, err=err)
        console.progress("eye.png")(0.5, "Enlarging")
        console.failed(UserError("It broke."), "eye.png")
        console.event("done")
        console.interrupted()
        assert console.unheard
        console = Console(out=io.StringIO(), err=err)
        console.progress("eye.png")(0.5, "Enlarging")
        console.say("a line")
        assert not console.unheard


def test_streams_that_were_never_open_are_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", None)
    console = Console()
    console.progress("eye.png")(0.5, "Enlarging")
    console.say("a line")
    console.failed(UserError("It broke."))
    assert not console.unheard


def test_names_that_are_not_utf_8_are_said_in_any_encoding() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    Console(out=out).say(os.fsdecode(b"M\xfcller.png"))
    assert out.buffer.getvalue() == b"M\\xfcller.png\n"
