"""The report names no files and no people."""

import logging
from pathlib import Path

import pytest

from retina_viewer.core.log import configure_logging, recent_lines, stop_logging
from retina_viewer.ui.dialogs.report_dialog import report_on

TEXTS = [
    "cannot read /home/user/Miller_Anna.jpg",
    r"cannot read C:\Users\user\Miller_Anna.jpg now",
    "cannot read Miller_Anna.TIF",
    "no such file: 'Miller Anna.png'",
    'no such file: "Miller Anna.dcm"',
    "cannot read /home/user/My patients/Anna Miller/left eye.jpg, skipped",
    r"cannot read C:\My patients\Anna Miller\left eye now",
    r"cannot read \\server\My patients\Anna Miller.jpg",
    "cannot read file:///data/Anna%20Miller.jpg",
    "cannot read Anna Miller.png at 3",
    "b'/data/Anna Miller' is damaged",
    "no such file: 'Anna O'Miller left.png'",
    "no value for Miller^Anna",
    "no value for Anna Miller",
    "no value for Änna Miller",
    "no mail to miller@example.org",
]


@pytest.mark.parametrize("text", TEXTS)
def test_names_are_taken_out(text: str) -> None:
    report = report_on(ValueError(text), [f"2026-11-28 10:00:00,000 WARNING x.y: {text}", text])
    assert "iller" not in report
    assert "patients" not in report
    assert "left eye" not in report
    assert "ValueError: (text left out" in report
    assert "WARNING x.y: (text left out" in report


def test_what_names_nobody_stays() -> None:
    for text in ("list index out of range", "Rect(x=1, y=2) is not inside Rect(x=0, y=0)"):
        assert f"ValueError: {text}\n" in report_on(ValueError(text))


def test_a_report_says_what_and_where() -> None:
    try:
        int("Miller.jpg")
    except ValueError as error:
        report = report_on(error, ["12:00 opened /data/Miller.jpg"])
    assert "ValueError" in report
    assert "test_report_dialog.py:" in report
    assert "PySide6-Essentials 6." in report
    assert "Miller" not in report


def test_the_log_of_a_failed_job_reaches_the_report(tmp_path: Path) -> None:
    configure_logging(directory=tmp_path)
    try:
        try:
            (tmp_path / "Anna Miller").read_bytes()
        except OSError as error:
            raise ZeroDivisionError("division by zero") from error
    except ZeroDivisionError as error:
        logging.getLogger("retina_viewer.test").warning("%s failed", "open", exc_info=True)
        report = report_on(error, recent_lines())
    finally:
        stop_logging()
    assert "WARNING retina_viewer.test: open failed" in report
    assert "ZeroDivisionError: division by zero" in report
    assert "FileNotFoundError: No such file or directory" not in report.split("\n\n")[1]
    assert "iller" not in report
    assert report.count("dialogs/test_report_dialog.py:") >= 3
