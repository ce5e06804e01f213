import csv
import io
from pathlib import Path

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.quality.records import Record, RecordLog, write_report
from studies.tables import Column, Table, records_to_csv

COLUMNS = (
    Column("method", "method"),
    Column("n", "n"),
    Column("gain", "gain", signed=True),
    Column("p", "p", digits=3, as_p=True),
)


def test_markdown_aligns_and_rounds() -> None:
    rows: list[Record] = [
        {"method": "bicubic", "n": 20, "gain": 0.0, "p": 1e-6},
        {"method": "net", "n": 3, "gain": -1.236},
        {"method": "x", "n": 3, "gain": float("nan"), "p": 0.04},
    ]
    assert Table(COLUMNS, rows, ("A note.",)).to_markdown() == (
        "| method  |   n |  gain |       p |\n"
        "| ------- | --: | ----: | ------: |\n"
        "| bicubic |  20 | +0.00 | <0.0001 |\n"
        "| net     |   3 | -1.24 |       - |\n"
        "| x       |   3 |     - |   0.040 |\n"
        "\nA note.\n"
    )


def test_csv_keeps_full_precision_and_quotes() -> None:
    text = records_to_csv(["name", "value", "none"], [{"name": "a,b", "value": 1 / 3, "more": 1}])
    assert list(csv.DictReader(io.StringIO(text))) == [
        {"name": "a,b", "value": "0.3333333333333333", "none": ""}
    ]


def test_a_log_remembers_what_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    log = RecordLog(path, ("method", "scale"))
    log.add({"method": "a", "scale": 2, "psnr": 40.125})
    log.add({"method": "a", "scale": 4, "psnr": 36.0})
    log.add({"method": "a", "scale": 4, "psnr": 37.0})
    again = RecordLog(path, ("method", "scale"))
    assert again.find(method="a", scale=2) == {"method": "a", "scale": 2, "psnr": 40.125}
    found = again.find(method="a", scale=4)
    assert found is not None and found["psnr"] == 37.0
    assert again.find(method="b", scale=2) is None
    assert len(path.read_text().splitlines()) == 2


@pytest.mark.parametrize("cut", ['{"method": "b", "sc', "\x00\x00", "[1]", '{"other": 1}', "3"])
def test_a_log_cut_short_goes_on(tmp_path: Path, cut: str) -> None:
    path = tmp_path / "log.jsonl"
    RecordLog(path, ("method",)).add({"method": "a", "psnr": 40.0})
    with path.open("a") as stream:
        stream.write(cut)
    log = RecordLog(path, ("method",))
    log.add({"method": "c", "psnr": 30.0})
    again = RecordLog(path, ("method",))
    assert again.find(method="a") is not None and again.find(method="c") is not None


def test_a_log_without_a_file_remembers_too() -> None:
    log = RecordLog(None, ("method",))
    log.add({"method": "a"})
    assert log.find(method="a") == {"method": "a"}


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    log = RecordLog(tmp_path / "gone" / "log.jsonl", ("method",))
    with pytest.raises(UserError, match="log"):
        log.add({"method": "a"})


def test_a_report_replaces_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    write_report(path, "old and long")
    write_report(path, "µ")
    assert path.read_bytes() == "µ".encode()
