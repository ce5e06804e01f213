"""The report names no files and no people."""

import pytest

from retina_viewer.ui.dialogs.report import report_on, without_names


@pytest.mark.parametrize(
    "text",
    [
        "cannot read /home/user/Miller_Anna.jpg",
        r"cannot read C:\Users\user\Miller_Anna.jpg now",
        "cannot read Miller_Anna.TIF",
        "no such file: 'Miller Anna.png'",
        'no such file: "Miller Anna.dcm"',
    ],
)
def test_names_are_taken_out(text: str) -> None:
    assert "Miller" not in without_names(text)


def test_a_report_says_what_and_where() -> None:
    try:
        int("Miller.jpg")
    except ValueError as error:
        report = report_on(error, ["12:00 opened /data/Miller.jpg"])
    assert "ValueError" in report
    assert "test_report.py:" in report
    assert "PySide6-Essentials 6." in report
    assert "Miller" not in report
