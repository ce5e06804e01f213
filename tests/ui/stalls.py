"""Watching the GUI thread while a scripted person works: shared by the test and the benchmark."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from retina_viewer.ui.application import wait_until
from retina_viewer.ui.view.arrange import Arrangement
from retina_viewer.ui.window import Window

TICK_MS = 5


@dataclass
class Gaps:
    """Milliseconds between ticks of a timer, beyond its own interval.

    Attributes:
        wall: as a person would feel them.
        processor: the GUI thread's own computing in the same span; on a busy machine the wall gaps
            also hold what other programs took.
        doing: what the script was at, for each gap.
    """

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    doing: list[str] = field(default_factory=list)


class StallWatch(QObject):
    """A 5 ms timer in the GUI thread. It ticks late when something blocks the event loop."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps = Gaps()
        self.doing = "start"
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._wall = time.perf_counter()
        self._processor = time.thread_time()
        self._timer.start(TICK_MS)

    def _tick(self) -> None:
        wall, processor = time.perf_counter(), time.thread_time()
        self.gaps.wall.append(max(0.0, (wall - self._wall) * 1e3 - TICK_MS))
        self.gaps.processor.append((processor - self._processor) * 1e3)
        self.gaps.doing.append(self.doing)
        self._wall, self._processor = wall, processor

    def stop(self) -> Gaps:
        self._timer.stop()
        return self.gaps


def scripted_session(window: Window, large: Path, small: Path, watch: StallWatch) -> None:
    """Open a large photograph, zoom, pan, enhance, change what is seen, switch, come back."""

    def pause(seconds: float) -> None:
        end = time.monotonic() + seconds
        wait_until(lambda: time.monotonic() >= end)

    def step(name: str) -> None:
        watch.doing = name
        pause(0.05)

    step("start")  # the icons come after the first paint; a person comes later still
    wait_until(lambda: window.looks.has_icons)
    step("open the large photograph")
    window.open([large])
    wait_until(lambda: window.view.photo is not None)
    step("zoom in by the wheel")
    for _ in range(12):
        _wheel(window, 1)
        pause(0.03)
    step("pan by dragging")
    for index in range(20):
        window.stage.result.dragged.emit(-9.0, 6.0 if index % 2 else -4.0)
        pause(0.02)
    step("sharpen")
    pause(1.0)
    step("saliency")
    window.controller.toggle_saliency()
    pause(0.5)
    step("arrangements")
    for arrangement in Arrangement:
        window.view.change(arrangement=arrangement)
        pause(0.1)
    step("tones")
    window.controller.tone_red_free()
    pause(0.3)
    window.controller.tone_colour()
    step("scale")
    window.view.change(scale=8)
    pause(0.5)
    window.view.change(arrangement=Arrangement.AUTO)
    step("switch photographs")
    window.open([small])
    wait_until(lambda: _shows(window, small))
    window.library.select(0)
    wait_until(lambda: _shows(window, large))
    pause(0.3)
    step("end")


def _shows(window: Window, path: Path) -> bool:
    photo = window.view.photo
    return photo is not None and photo.image.path == path


def _wheel(window: Window, notches: int) -> None:
    pane = window.stage.result
    place = QPointF(pane.width() / 2, pane.height() / 2)
    event = QWheelEvent(
        place, pane.mapToGlobal(place), QPoint(), QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(pane, event)
