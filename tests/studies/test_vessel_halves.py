"""Halves of sets, and enlargements as files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retina_viewer.quality.datasets import Photograph, read_mask
from retina_viewer.quality.protocols import Condition
from retina_viewer.superres.classical import bicubic
from studies.data_folders import find_photographs
from studies.vessel_study import enlarged, halves_of


def labelled(dataset: str, name: str, patient: str, part: str = "") -> Photograph:
    path = Path(f"{name}.png")
    return Photograph(dataset, name, patient, path, vessels=path, part=part)


@given(patients=st.integers(1, 30), eyes=st.integers(1, 2), limit=st.none() | st.integers(1, 4))
def test_no_patient_is_in_two_parts(patients: int, eyes: int, limit: int | None) -> None:
    members = [
        labelled("ward", f"{p}{'LR'[e]}", str(p)) for p in range(patients) for e in range(eyes)
    ]
    found = halves_of(members, limit)
    if patients < 4:
        assert found == []
        return
    (halves,) = found
    parts = [{p.patient for p in part} for part in (halves.train, halves.validation, halves.test)]
    assert all(parts) and sum(map(len, parts)) == len(set.union(*parts))
    if limit is None:
        assert len(halves.all) == len(members)
    else:
        assert max(len(halves.train), len(halves.validation), len(halves.test)) <= limit


def test_sets_keep_their_own_division(data: Path) -> None:
    (chase,) = halves_of(find_photographs(data))  # one patient of DRIVE trains: too few
    assert chase.dataset == "CHASE_DB1"
    assert [one.id for one in chase.train] == ["01L", "01R"]
    assert [one.id for one in chase.validation] == ["09L"]
    assert [one.id for one in chase.test] == ["11L", "12R"]
    drive = [labelled("DRIVE", str(n), str(n), "training") for n in range(21, 41)]
    drive += [labelled("DRIVE", f"{n:02}", f"{n:02}", "test") for n in range(1, 21)]
    (halves,) = halves_of(drive)
    assert (len(halves.train), len(halves.validation), len(halves.test)) == (16, 4, 20)
    assert {one.part for one in halves.test} == {"test"}
    assert halves_of(drive[:20]) == []  # one half alone


def test_an_enlargement_has_the_form_of_a_set(data: Path, tmp_path: Path) -> None:
    original = next(p for p in find_photographs(data) if p.name == "CHASE_DB1/11L")
    condition = Condition("native", "gaussian", 8)
    shown = enlarged(original, bicubic(8), condition, tmp_path)
    truth = original.read_rgb()
    assert shown.read_rgb().shape == truth.shape  # 192 x 160 is whole multiples of 8
    assert 1.0 < np.abs(shown.read_rgb().astype(float) - truth).mean() < 20.0
    np.testing.assert_array_equal(shown.read_vessels(), original.read_vessels())
    assert shown.fov is not None and read_mask(shown.fov).all()
    assert [one.id for one in find_photographs(tmp_path)] == ["11L"]


def test_what_lies_there_is_not_made_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = next(p for p in find_photographs(data) if p.name == "DRIVE/01")
    condition = Condition("native", "gaussian", 4)
    first = enlarged(original, bicubic(4), condition, tmp_path).read_rgb()

    def broken(*_: object) -> None:
        raise AssertionError("enlarged twice")

    monkeypatch.setattr("studies.vessel_study.enhanced_whole", broken)
    again = enlarged(original, bicubic(4), condition, tmp_path).read_rgb()
    np.testing.assert_array_equal(again, first)
    (tmp_path / "images" / "01.png").unlink()
    with pytest.raises(AssertionError, match="twice"):
        enlarged(original, bicubic(4), condition, tmp_path)
