"""What the screen of an X server holds, which ``grab()`` cannot tell: see ``screen_walk``."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.test_packaging import ROOT, load_check_system
from tests.ui.screen_walk import WINDOW

pytestmark = pytest.mark.slow

SCREEN = f"{WINDOW.right() + 30}x{WINDOW.bottom() + 80}x24"
WAIT = 300.0
"""Seconds: it takes 30, and longer where other programs keep the processor busy."""


@contextmanager
def running(*command: str, **settings: object) -> Iterator[subprocess.Popen[bytes]]:
    """A program that is ended in the end."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, **settings)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def display(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of programs on a screen of their own, with a window manager."""
    missing = load_check_system().missing_packages(for_screen_tests=True)
    if missing or not sys.platform.startswith("linux"):
        pytest.skip("no X server to look at: " + (", ".join(missing) or sys.platform))
    reader, writer = os.pipe()
    xvfb = ("Xvfb", "-displayfd", str(writer), "-screen", "0", SCREEN, "-nolisten", "tcp")
    with running(*xvfb, pass_fds=[writer]), os.fdopen(reader) as answer:
        os.close(writer)
        number = answer.readline().strip()
        assert number, "Xvfb did not start"
        here = {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb", "HOME": str(tmp_path)}
        environment = {**os.environ, **here}
        environment.pop("XDG_CONFIG_HOME", None)
        with running("openbox", env=environment):
            yield environment


def test_the_screen_shows_what_is_chosen(display: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    command = [sys.executable, "-m", "tests.ui.screen_walk", str(out)]
    done = subprocess.run(
        command, cwd=ROOT, env=display, capture_output=True, text=True, timeout=WAIT
    )
    assert done.returncode == 0, done.stderr[-4000:]
    report = json.loads(out.read_text(encoding="utf-8"))
    assert report["faults"] == []
    assert len(report["steps"]) > 70
    assert report["seconds"] < 60  # of the processor
