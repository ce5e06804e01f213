"""The one dialog for unexpected errors: a report to copy, without names of files or people."""

from __future__ import annotations

import platform
import re
import traceback
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

import retina_viewer
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.widgets.fields import dim_label, value_label

_PACKAGES = ("PySide6-Essentials", "torch", "numpy", "opencv-python-headless", "pillow")


def report_on(error: BaseException, log_lines: list[str] | None = None) -> str:
    """What a developer needs: versions, the platform, the traceback, the last log lines.

    Paths and quoted names are taken out: a file name may be a patient's.
    """
    lines = [f"Retina Viewer {retina_viewer.__version__}", f"Python {platform.python_version()}"]
    lines.append(f"{platform.system()} {platform.release()} {platform.machine()}")
    for package in _PACKAGES:
        try:
            lines.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            lines.append(f"{package} is not installed")
    lines.append("")
    for frame in traceback.extract_tb(error.__traceback__):
        place = frame.filename.replace("\\", "/").rpartition("retina_viewer/")[2]
        lines.append(f"  {place.rpartition('/')[2]}:{frame.lineno} in {frame.name}")
    lines.append(f"{type(error).__name__}: {without_names(str(error))}")
    lines += ["", *(without_names(line) for line in log_lines or [])]
    return "\n".join(lines).rstrip() + "\n"


def without_names(text: str) -> str:
    """The text with everything that may be a path or a file's name replaced."""
    text = re.sub(r"(['\"]).*?\1", "<name>", text)
    text = re.sub(r"[A-Za-z]:\\[^\s]+", "<path>", text)
    text = re.sub(r"(?<![\w])/[^\s]+", "<path>", text)
    return re.sub(r"\S+\.(jpe?g|png|tiff?|bmp|webp|gif|dcm)\b", "<file>", text, flags=re.I)


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
        self.copy = QPushButton("Copy the report")
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(report))
        close = QPushButton("Close")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addWidget(self.copy)
        row.addStretch(1)
        row.addWidget(close)
        for button in (self.copy, close):
            button.setMinimumHeight(HIT_TARGET)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(12)
        column.addWidget(message)
        column.addWidget(hint)
        column.addWidget(self.text, 1)
        column.addLayout(row)
