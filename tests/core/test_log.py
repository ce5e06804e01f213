import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.core.log import (
    FILE_NAME,
    KEPT_LINES,
    LEFT_OUT,
    MAX_BYTES,
    configure_logging,
    recent_lines,
    stop_logging,
)
from retina_viewer.core.paths import log_dir

log = logging.getLogger("retina_viewer.tests")


@pytest.fixture(autouse=True)
def _logging_ends() -> Iterator[None]:
    yield
    stop_logging()


def test_lines_reach_the_file_and_the_memory() -> None:
    configure_logging()
    log.info("tiles: %d", 37)
    log.debug("not this one")
    assert "INFO retina_viewer.tests: tiles: 37" in (log_dir() / FILE_NAME).read_text("utf-8")
    assert [line.endswith("tiles: 37") for line in recent_lines()] == [True]


def test_debug_lines_never_enter_the_report(tmp_path: Path) -> None:
    configure_logging(logging.DEBUG, tmp_path)
    log.debug("opened Mustermann.png")
    assert "Mustermann" in (tmp_path / FILE_NAME).read_text("utf-8")
    assert recent_lines() == []


def test_the_memory_keeps_the_last_lines(tmp_path: Path) -> None:
    configure_logging(directory=tmp_path)
    for number in range(KEPT_LINES + 5):
        log.info("line %d", number)
    lines = recent_lines()
    assert len(lines) == KEPT_LINES
    assert lines[-1].endswith(f"line {KEPT_LINES + 4}")
    assert recent_lines(2) == lines[-2:]
    assert recent_lines(0) == []


def test_tracebacks_are_kept_line_by_line(tmp_path: Path) -> None:
    configure_logging(directory=tmp_path)
    try:
        raise ValueError("no pixels")
    except ValueError:
        log.exception("the job failed")
    assert recent_lines()[-1] == "ValueError: no pixels"


def test_the_file_rotates(tmp_path: Path) -> None:
    configure_logging(directory=tmp_path)
    for _ in range(12):
        log.info("x" * (MAX_BYTES // 10))
    assert sorted(file.name for file in tmp_path.iterdir()) == [FILE_NAME, FILE_NAME + ".1"]


def test_configuring_again_writes_each_line_once(tmp_path: Path) -> None:
    configure_logging(directory=tmp_path / "first")
    configure_logging(directory=tmp_path / "second")
    log.info("once")
    assert (tmp_path / "first" / FILE_NAME).read_text("utf-8") == ""
    assert (tmp_path / "second" / FILE_NAME).read_text("utf-8").count("once") == 1
    assert len(recent_lines()) == 1


def test_without_a_folder_the_memory_still_works(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    configure_logging(directory=tmp_path / "file" / "logs")
    log.warning("no file")
    assert recent_lines()[0].endswith("no file")


def test_before_configuration_there_are_no_lines() -> None:
    assert recent_lines() == []


def test_no_exception_names_a_photograph(tmp_path: Path) -> None:
    configure_logging(directory=tmp_path)
    missing = tmp_path / "Mustermann.png"
    try:
        try:
            missing.open("rb")
        except OSError as error:
            raise UserError(f"{missing} does not exist.", "It may have been renamed.") from error
    except UserError:
        log.warning("the job failed", exc_info=True)
    text = (tmp_path / FILE_NAME).read_text("utf-8")
    assert "Mustermann" not in text
    assert str(tmp_path) not in text
    lines = recent_lines()
    assert lines[-1] == "UserError"
    assert "FileNotFoundError: No such file or directory" in lines
    assert any("core/test_log.py:" in line for line in lines)
    # The cause comes first, as in Python's own tracebacks.
    assert lines.index("FileNotFoundError: No such file or directory") < len(lines) - 1


def test_a_name_that_is_not_utf_8_can_be_logged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What pytest captures travels between its processes, and that line cannot.
    monkeypatch.setattr(logging.getLogger("retina_viewer"), "propagate", False)
    configure_logging(logging.DEBUG, tmp_path)
    log.debug("opened %s", os.fsdecode(b"M\xfcller.png"))
    assert "ller.png" in (tmp_path / FILE_NAME).read_text("utf-8")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("text", ["cannot read /data/Anna Miller/left.png", "no Anna Miller here"])
def test_a_text_that_may_hold_a_name_is_left_out_whole(tmp_path: Path, text: str) -> None:
    configure_logging(directory=tmp_path)
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("the job failed")
    assert recent_lines()[-1] == f"ValueError: {LEFT_OUT}"
    assert "Miller" not in (tmp_path / FILE_NAME).read_text("utf-8")
