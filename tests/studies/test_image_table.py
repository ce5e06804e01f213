"""Table 1 of a comparison that is measured part by part."""

from dataclasses import replace
from pathlib import Path

import pytest

from retina_viewer.quality.records import Record, RecordLog
from studies.all_tables import Tables, measure_images, of_earlier_runs
from studies.data_folders import find_photographs
from studies.report import read_results

KEY = ("photograph", "method", "model")
ASKED = Tables(
    tables=(1,), scales=(4,), methods=("bicubic", "lanczos"), kernels=("gaussian",),
    protocols=("native",), sets=("CHASE_DB1",), perceptual=False, device="cpu",
)  # fmt: skip


def record(photograph: str, method: str, model: str = "", **more: float) -> Record:
    return {
        "dataset": "DRIVE", "photograph": photograph, "protocol": "native", "kernel": "gaussian",
        "scale": 4, "method": method, "model": model, "psnr": 40.0, "drift": 1.0, **more,
    }  # fmt: skip


@pytest.fixture
def log() -> RecordLog:
    found = RecordLog(None, KEY)
    for one in (
        record("01", "bicubic"), record("01", "net", "today"),
        record("02", "bicubic"), record("02", "net", "yesterday"),
        record("03", "bicubic"), record("03", "net", "today"), record("03", "linear-5fold", "any"),
        record("03", "other"),
    ):  # fmt: skip
        found.add(one)
    return found


def test_an_earlier_photograph_counts_where_every_method_has_it(log: RecordLog) -> None:
    now = [record("01", name, "today") for name in ("bicubic", "net", "linear-5fold")]
    found = of_earlier_runs(log, now, {"net": "today"}, perceptual=False)
    assert [(one["photograph"], one["method"]) for one in found] == [
        ("03", "bicubic"), ("03", "net"), ("03", "linear-5fold"),
    ]  # fmt: skip


def test_earlier_records_without_looks_do_not_count_among_those_with(log: RecordLog) -> None:
    now = [record("01", name, "today") for name in ("bicubic", "net")]
    assert of_earlier_runs(log, now, {"net": "today"}, perceptual=True) == []
    for name, model in (("bicubic", ""), ("net", "today")):
        log.add(record("04", name, model, lpips=0.2))
    found = of_earlier_runs(log, now, {"net": "today"}, perceptual=True)
    assert {one["photograph"] for one in found} == {"04"}


def test_two_runs_give_the_table_of_both(data: Path, tmp_path: Path) -> None:
    photographs, asked = find_photographs(data), replace(ASKED, out=tmp_path)
    measure_images(photographs, asked)
    alone = read_results(tmp_path)[1]
    assert alone.provenance["commands"] == [alone.provenance["command"]]
    measure_images(photographs, replace(asked, sets=("DRIVE",)))
    both = read_results(tmp_path)[1]
    assert set(both.values("dataset")) == {"CHASE_DB1", "DRIVE", "all"}
    first = [row for row in both.rows if row["dataset"] == "CHASE_DB1"]
    assert first == alone.rows
    about = both.provenance
    assert [line.count("DRIVE") for line in about["commands"]] == [0, 1]
    assert set(about["photographs_sha256"]) == {"CHASE_DB1/11L", "CHASE_DB1/12R", "DRIVE/01"}
    measure_images(photographs, asked)
    assert read_results(tmp_path)[1].provenance["commands"] == about["commands"]
