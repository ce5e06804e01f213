"""What the open page of a long training costs the window.

``python -m studies.speed.training_page`` from the project's folder, on a real display or any other,
tells the page of a made training of 1,000 polls (losses at each, a validation with pictures at
every twentieth), and then leaves it open at its end. It prints, for the first polls and the last
ones, the GUI thread's own time of a poll with all that is painted after it, and how often the page
was shown; then the share of a core that the finished training's page takes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject

from retina_viewer.core.settings import Settings
from retina_viewer.ui.app import make_window
from retina_viewer.ui.application import make_application, wait_until
from retina_viewer.ui.training import trainings
from retina_viewer.ui.training.trainings import FoundRun
from retina_viewer.ui.window import Window
from tests.finetuning.tiny_clinic import clinic_plan
from tests.ui.stalls import Gaps, StallWatch
from tests.ui.training.made_run import MadeRun

_GROUPS = 5


class _Shows(QObject):
    """Counts how often the page is shown and painted."""

    shown = painted = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.shown += event.type() == QEvent.Type.Show
        self.painted += event.type() == QEvent.Type.Paint
        return False


def main() -> None:
    """Follow the made training and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--polls", type=int, default=1000)
    parser.add_argument("--milliseconds", type=int, default=100, help="between two polls")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="retina-viewer-page-") as folder:
        os.environ["RETINA_VIEWER_BASE_DIR"] = folder
        window = make_window(make_application(), Settings(method="bicubic", scale=4))
        window.show()
        try:
            _measure(window, Path(folder), options.polls, options.milliseconds)
        finally:
            window.training.trainings.let_go()
            window.close()


def _measure(window: Window, folder: Path, polls: int, milliseconds: int) -> None:
    made = MadeRun(folder / "run", clinic_plan(folder / "clinic"))
    controller = window.training
    trainings.POLL_MS = milliseconds
    controller.open_run(
        FoundRun(made.run, made.plan, controller.trainings.phase, "", made.run.state().created)
    )
    assert controller.wizard is not None
    shows = _Shows()
    controller.wizard.training.installEventFilter(shows)
    curves = controller.wizard.training.curves
    made.tell_round()
    wait_until(lambda: curves.curves is not None, 60)
    watch = StallWatch()
    rows = [_one(made.tell_round, milliseconds / 1000, shows) for _ in range(polls)]
    _print_polls(rows, watch.stop())
    made.run.set_state("finished")
    made.run.append_event({"event": "finished"})
    _pause(3)
    started, wall = time.thread_time(), time.monotonic()
    _pause(10)
    share = (time.thread_time() - started) / (time.monotonic() - wall)
    sys.stdout.write(f"finished, the page open: {share:.1%} of a core\n")


def _one(tell: Callable[[], None], seconds: float, shows: _Shows) -> tuple[float, int, int]:
    tell()
    started, shown, painted = time.thread_time(), shows.shown, shows.painted
    _pause(seconds)
    return (time.thread_time() - started) * 1e3, shows.shown - shown, shows.painted - painted


def _pause(seconds: float) -> None:
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end, 600)


def _print_polls(rows: list[tuple[float, int, int]], gaps: Gaps) -> None:
    sys.stdout.write(
        "polls          GUI thread a poll: median      worst   shown  painted a poll\n"
    )
    size = max(1, len(rows) // _GROUPS)
    for first in range(0, len(rows), size):
        group = rows[first : first + size]
        times = sorted(row[0] for row in group)
        shown, painted = (sum(row[place] for row in group) / len(group) for place in (1, 2))
        sys.stdout.write(
            f"{first + 1:5}..{first + len(group):<5}{times[len(times) // 2]:27.1f} ms"
            f"{times[-1]:9.1f} ms{shown:8.1f}{painted:9.1f}\n"
        )
    walls = sorted(gaps.wall)
    sys.stdout.write(f"gaps: median {walls[len(walls) // 2]:.1f} ms, worst {walls[-1]:.1f} ms\n")


if __name__ == "__main__":
    main()
