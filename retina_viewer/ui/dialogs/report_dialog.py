"""What the program says of itself: what each key does; a report of an unexpected error, without
names of files or people."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QPlainTextEdit, QWidget

import retina_viewer
from retina_viewer.core.log import LEFT_OUT, described, frames_of, is_harmless
from retina_viewer.ui.keys import KEYS, Key
from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.fields import dim_label, value_label


class KeysDialog(QDialog):
    """What each key does."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        columns = layout.row(spacing=32)
        grid = _KeyGrid()
        for title, keys in KEYS:
            if grid.rowCount() + len(keys) > MOST_ROWS:
                grid.close(columns)
                grid = _KeyGrid()
            grid.add(title, keys)
        grid.close(columns)
        close = layout.button("Close", act=self.accept)
        close.setDefault(True)
        last = layout.row(..., close)
        self.setLayout(layout.column(columns, last, margins=(24, 20, 24, 16)))


MOST_ROWS = 16
"""Of a column of keys: a window of 1040 pixels is to hold all columns."""


class _KeyGrid(QGridLayout):
    """A column of the list: groups of keys under their headings."""

    def __init__(self) -> None:
        super().__init__()
        self.setHorizontalSpacing(16)
        self.setVerticalSpacing(8)

    def add(self, title: str, keys: Sequence[Key]) -> None:
        heading = value_label()
        heading.setText(title)
        heading.setProperty("role", "heading")
        self.addWidget(heading, self.rowCount(), 0, 1, 2)
        for row, key in enumerate(keys, start=self.rowCount()):
            shown, text = value_label(), dim_label(key.text)
            shown.setWordWrap(False)
            shown.setText(key.shown)
            text.setFixedWidth(190)
            self.addWidget(shown, row, 0, Qt.AlignmentFlag.AlignTop)
            self.addWidget(text, row, 1, Qt.AlignmentFlag.AlignTop)

    def close(self, columns: QHBoxLayout) -> None:
        self.setRowStretch(self.rowCount(), 1)
        columns.addLayout(self)


_FRAME = re.compile(r"  [\w<>.-]+/[\w<>.-]+\.py:\d+ in [\w<>]+")
_HEAD = re.compile(r"(?:[\d-]+ [\d:,]+ [A-Z]+ [\w.]+: )?(?:\w+: )?")
"""When, how grave, who; what kind of error."""
_PACKAGES = ("PySide6-Essentials", "torch", "numpy", "opencv-python-headless", "pillow")


def report_on(error: BaseException, log_lines: list[str] | None = None) -> str:
    """What a developer needs: versions, the platform, the traceback, the last log lines.

    Args:
        log_lines: as :func:`~retina_viewer.core.log.recent_lines` has them: they name nobody.
    """
    lines = [f"Retina Viewer {retina_viewer.__version__}", f"Python {platform.python_version()}"]
    lines.append(f"{platform.system()} {platform.release()} {platform.machine()}")
    for package in _PACKAGES:
        try:
            lines.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            lines.append(f"{package} is not installed")
    lines += ["", *frames_of(error), described(error), "", *map(_discreet, log_lines or [])]
    return "\n".join(lines).rstrip() + "\n"


def _discreet(line: str) -> str:
    """A line of the log, without its text should that name somebody after all."""
    if _FRAME.fullmatch(line):
        return line
    head = _HEAD.match(line)
    start = head.end() if head else 0
    return line if is_harmless(line[start:]) else line[:start] + LEFT_OUT


class ReportDialog(QDialog):
    """Says that something went wrong and offers the report."""

    def __init__(self, report: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Something went wrong")
        self.setMinimumSize(640, 420)
        message = value_label()
        message.setText("Retina Viewer met an error that it did not expect.")
        message.setProperty("role", "heading")
        hint = dim_label(
            "Your photographs are unharmed and you can go on working. The report below names no "
            "files and no people; please send it to those who look after this program."
        )
        self.text = QPlainTextEdit(report)
        self.text.setReadOnly(True)
        self.copy = layout.button("Copy the report")
        self.copy.setAutoDefault(True)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(report))
        close = layout.button("Close", act=self.accept)
        close.setDefault(True)
        parts = (message, hint, (self.text, 1), layout.row(self.copy, ..., close))
        self.setLayout(layout.column(*parts, spacing=12, margins=(20, 16, 20, 16)))
