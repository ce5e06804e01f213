"""Networks on every method's images, with a trainer that counts what it is asked for."""

import json
from pathlib import Path

import pytest

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.quality.datasets import Photograph
from studies.comparison import Comparison
from studies.data_folders import find_photographs
from studies.vessel_study import RECORDS, figures, study_vessels
from tests.studies.dark_vessels import CountingTrainer, DarkIsVessel

ASKED = Comparison(methods=("bicubic", "lanczos"), scales=(2, 4), device="cpu")


@pytest.fixture
def chase(data: Path) -> list[Photograph]:
    return find_photographs(data / "CHASE_DB1")


def test_every_method_has_a_network_of_its_own(chase: list[Photograph], tmp_path: Path) -> None:
    trainer = CountingTrainer()
    records, sets, models = study_vessels(chase, ASKED, trainer, tmp_path)
    assert [name.removeprefix("CHASE_DB1-") for name in trainer.trained] == [
        "original-dark-5", "bicubic-plain-gaussian-x4-dark-5", "lanczos-plain-gaussian-x4-dark-5",
    ]  # fmt: skip
    assert set(trainer.seen) == {(2, 1)}
    told = {(r["scale"], r["trained_on"], r["method"], r["photograph"]) for r in records}
    assert told == {
        (scale, on, method, eye)
        for scale, on, method in (
            (1, "original", "original"),
            (4, "original", "bicubic"), (4, "bicubic", "bicubic"),
            (4, "original", "lanczos"), (4, "lanczos", "lanczos"),
        )
        for eye in ("11L", "12R")
    }  # fmt: skip
    assert models == {} and [one.dataset for one in sets] == ["CHASE_DB1"]
    dice = {str(r["method"]): float(r["dice"]) for r in records if r["photograph"] == "11L"}
    assert dice["original"] > dice["lanczos"] > dice["bicubic"]  # what is soft is lost


def test_a_study_that_was_broken_off_goes_on(chase: list[Photograph], tmp_path: Path) -> None:
    asked = Comparison(methods=("bicubic",), scales=(4,), limit=1, device="cpu")
    (tmp_path / "whole").mkdir()
    whole = study_vessels(chase, asked, CountingTrainer(), tmp_path / "whole")[0]
    assert len(whole) == 3
    for stop in (1, 5, 9):
        out = tmp_path / str(stop)
        out.mkdir()
        first = CountingTrainer()
        calls: list[str] = []

        def cancel(fraction: float, what: str, calls: list[str] = calls, stop: int = stop) -> None:
            calls.append(what)
            if len(calls) > stop:
                raise Cancelled

        with pytest.raises(Cancelled):
            study_vessels(chase, asked, first, out, progress=cancel)
        kept = (out / RECORDS).read_text().splitlines() if (out / RECORDS).exists() else []
        second = CountingTrainer()
        assert study_vessels(chase, asked, second, out)[0] == whole
        assert not set(first.trained) & set(second.trained)
        assert (out / RECORDS).read_text().splitlines()[: len(kept)] == kept
        third = CountingTrainer()
        study_vessels(chase, asked, third, out)
        assert third.trained == [] and third.seen == []


def test_another_budget_is_measured_anew(chase: list[Photograph], tmp_path: Path) -> None:
    asked = Comparison(methods=("bicubic",), scales=(4,), limit=1, device="cpu")
    study_vessels(chase, asked, CountingTrainer("dark-5"), tmp_path)
    longer = CountingTrainer("dark-9")
    study_vessels(chase, asked, longer, tmp_path)
    assert len(longer.trained) == 2
    lines = [json.loads(line) for line in (tmp_path / RECORDS).read_text().splitlines()]
    assert {str(line["model"]).split()[0] for line in lines} == {"dark-5", "dark-9"}


def test_progress_rises(chase: list[Photograph], tmp_path: Path) -> None:
    seen: list[float] = []
    asked = Comparison(methods=("bicubic",), scales=(4, 8), limit=1, device="cpu")
    study_vessels(
        chase, asked, CountingTrainer(), tmp_path, progress=lambda share, _: seen.append(share)
    )
    assert seen == sorted(seen) and seen[-1] == 1.0


def test_the_whole_counts_what_lies_outside(chase: list[Photograph]) -> None:
    found = figures(DarkIsVessel(), chase[0], chase[0])  # type: ignore[arg-type]
    assert found["dice"] == found["dice_whole"]  # here the field of view is the whole crop
    assert {"auc", "cldice", "sensitivity_thin", "specificity", "precision"} <= found.keys()


def test_sets_without_vessels_are_no_study(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="drawn vessels"):
        study_vessels(find_photographs(data / "IDRiD"), ASKED, CountingTrainer(), tmp_path)
    only_drive = Comparison(methods=("bicubic",), sets=("DRIVE",))
    with pytest.raises(UserError, match="drawn vessels"):
        study_vessels(find_photographs(data), only_drive, CountingTrainer(), tmp_path)
