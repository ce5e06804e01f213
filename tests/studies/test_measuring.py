"""Long measurements are kept record by record and go on where they broke."""

from pathlib import Path

import pytest

from retina_viewer.core.errors import Cancelled
from retina_viewer.quality.records import Record, RecordLog
from studies.measuring import Job, measure_all

KEY = ("photograph", "scale", "model")


def jobs(made: list[str], needs: tuple[str, ...] = ()) -> list[Job]:
    def job(name: str) -> Job:
        def measured() -> Record:
            made.append(name)
            return {"psnr": float(len(name)), **dict.fromkeys(needs, 1.0)}

        who: Record = {"photograph": name, "scale": 4, "model": ""}
        return Job(who, measured, needs, {"patient": "p"})

    return [job(name) for name in ("a", "bb", "ccc")]


def test_records_come_in_order_with_who_they_are() -> None:
    records = measure_all(jobs([]))
    assert [record["psnr"] for record in records] == [1.0, 2.0, 3.0]
    assert records[0] == {"photograph": "a", "scale": 4, "model": "", "patient": "p", "psnr": 1.0}


def test_a_broken_run_goes_on(tmp_path: Path) -> None:
    made: list[str] = []
    said: list[tuple[float, str]] = []

    def stop(fraction: float, what: str) -> None:
        said.append((fraction, what))
        if len(made) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        measure_all(jobs(made), log=RecordLog(tmp_path / "log", KEY), progress=stop)
    assert said[1] == (1 / 3, "bb, x4")
    again: list[str] = []
    records = measure_all(jobs(again), log=RecordLog(tmp_path / "log", KEY))
    assert (made, again) == (["a", "bb"], ["ccc"])
    assert [record["psnr"] for record in records] == [1.0, 2.0, 3.0]


def test_a_record_that_lacks_a_figure_is_measured_again(tmp_path: Path) -> None:
    measure_all(jobs([]), log=RecordLog(tmp_path / "log", KEY))
    again: list[str] = []
    records = measure_all(jobs(again, ("lpips",)), log=RecordLog(tmp_path / "log", KEY))
    assert again == ["a", "bb", "ccc"] and records[0]["lpips"] == 1.0
