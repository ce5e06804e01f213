"""Folds by patient, and the linear filter in them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.protocols import Condition
from retina_viewer.quality.records import RecordLog
from studies.all_tables import evaluate_linear_folds, folds_by_patient
from studies.data_folders import find_photographs
from studies.linear_filter import fit_linear_filters
from studies.superres import RECORD_KEY

HERE = Path("x.png")


@given(
    patients=st.lists(st.integers(0, 12), min_size=1, max_size=40),
    sets=st.integers(1, 3),
    count=st.integers(2, 6),
)
def test_folds_part_no_patient_and_lose_no_photograph(
    patients: list[int], sets: int, count: int
) -> None:
    members = [
        Photograph(f"set {n % sets}", str(n), str(patient), HERE)
        for n, patient in enumerate(patients)
    ]
    folds = folds_by_patient(members, count)
    assert sorted(one.name for fold in folds for one in fold) == sorted(m.name for m in members)
    who = [{(one.dataset, one.patient) for one in fold} for fold in folds]
    everyone = set().union(*who)
    assert sum(map(len, who)) == len(everyone)
    assert len(folds) == min(count, len(everyone))
    sizes = [len(one) for one in who]
    assert max(sizes) - min(sizes) <= 1  # as even as patients allow


@pytest.mark.slow
def test_each_fold_is_measured_with_a_filter_that_has_not_seen_it(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photographs = [one for one in find_photographs(data) if one.dataset == "CHASE_DB1"]
    fitted: list[set[str]] = []

    def told(training: list[Photograph], *rest: object, **more: object) -> object:
        fitted.append({one.patient for one in training})
        return fit_linear_filters(training, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("studies.contenders.fit_linear_filters", told)
    log = RecordLog(tmp_path / "log.jsonl", RECORD_KEY)
    condition = [Condition("native", "gaussian", 4)]
    records, about = evaluate_linear_folds(photographs, condition, log=log)
    assert {str(r["photograph"]) for r in records} == {one.id for one in photographs}
    assert {r["method"] for r in records} == {"linear-5fold"}
    assert sorted(len(patients) for patients in fitted) == [3, 3, 3, 3]  # of four children
    assert about["name"] == "4 folds by patient" and len(about["sha256"].split()) == 4
    fitted.clear()
    assert evaluate_linear_folds(photographs, condition, log=log)[0] == records
    assert fitted == []  # nothing is fitted where all is measured


def test_one_patient_cannot_be_cross_validated(data: Path) -> None:
    drive = find_photographs(data / "DRIVE")[:1]
    assert evaluate_linear_folds(drive, [Condition("native", "gaussian", 4)]) == ([], {})
