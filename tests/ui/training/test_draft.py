"""From what was chosen to a plan."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retina_viewer.core.errors import UserError
from retina_viewer.finetuning.intake import examine
from retina_viewer.finetuning.masks import MaskCheck
from retina_viewer.model_store.card import NAME_PATTERN
from retina_viewer.ui.training.draft import (
    Draft,
    GroupingChoice,
    Way,
    own_name,
    suggested_grouping,
)

SALT = b"s" * 32


def grouped(folder: Path, way: Way = Way.FILE) -> Draft:
    draft = Draft(intake=examine([folder]), base="pixel")
    draft.grouping = GroupingChoice(way)
    draft.patients = draft.grouping.group([file.path for file in draft.kept])
    return draft


def test_a_plan_holds_what_is_kept_and_no_labels(folder: Path) -> None:
    plan = grouped(folder).plan(SALT, "pixel-own")
    assert len(plan.photographs) == 4
    assert {plan.patients(one) for one in ("train", "validation", "held_out")} == {1, 2}
    assert not any("patient" in photograph.group for photograph in plan.photographs)
    assert (plan.base, plan.steps, plan.minutes) == ("pixel", (1, 2), 30.0)


def test_copies_and_broken_files_cannot_be_kept_but_doubtful_ones_can(mixed_folder: Path) -> None:
    draft = grouped(mixed_folder)
    assert draft.intake is not None
    kinds = {file.path.name: file.kind for file in draft.intake.photographs}
    assert kinds["broken.jpg"] == "unreadable"
    assert "duplicate" in kinds.values()
    assert kinds["holiday.png"] == "not fundus"
    for file in draft.intake.photographs:
        draft.decided[file.path] = True
    names = {file.path.name for file in draft.kept}
    assert "holiday.png" in names
    assert "broken.jpg" not in names
    assert len(names) == 5  # four and the one that is no fundus; not the copy


def test_fewer_than_three_patients_are_refused(folder: Path) -> None:
    draft = grouped(folder, Way.FOLDER)
    with pytest.raises(UserError, match="1 patient only"):
        draft.division(SALT)


def test_vessels_use_photographs_with_a_mask_alone(folder: Path) -> None:
    draft = grouped(folder)
    draft.task = "vessels"
    assert draft.kept == []
    assert draft.intake is not None
    for file in draft.intake.photographs[:3]:
        mask = file.path.with_name(f"{file.path.stem}_mask.png")
        draft.masks[file.path] = (mask, MaskCheck(inverted=False, share=0.1))
    draft.patients = GroupingChoice(Way.FILE).group([file.path for file in draft.kept])
    plan = draft.plan(SALT, "vessels-own")
    assert len(plan.photographs) == 3
    assert all(one.mask is not None and one.mask_sha256 for one in plan.photographs)


def names(*stems: str) -> list[Path]:
    return [Path("/clinic") / f"{stem}.jpg" for stem in stems]


def test_eyes_at_the_end_of_names_are_recognised() -> None:
    files = names("0815_L", "0815_R", "0816L", "0816R", "0817_left", "0817_right", "0818 OD")
    choice = suggested_grouping(files)
    assert choice.way is Way.PATTERN
    assert choice.group(files).count == 4


def test_folders_of_a_few_are_patients_and_one_large_folder_is_none() -> None:
    few = [Path(f"/clinic/{number}/{k}.jpg") for number in range(4) for k in range(3)]
    assert suggested_grouping(few).way is Way.FOLDER
    many = [Path(f"/clinic/{half}/{k}x.jpg") for half in "ab" for k in range(40)]
    assert suggested_grouping(many).way is None


def test_each_photograph_a_patient_is_never_suggested() -> None:
    for files in (names("a", "b", "c"), names("1"), [], names("0815_L", "x", "y", "z")):
        choice = suggested_grouping(files)
        assert choice.way is None
        with pytest.raises(UserError, match="not clear which photographs are of one patient"):
            choice.group(files)
    assert Draft().grouping.way is None


@given(st.text(max_size=90))
def test_names_made_of_a_base_are_names_of_models(base: str) -> None:
    name = own_name("x" + base)
    assert name.endswith("-own")
    assert re.fullmatch(NAME_PATTERN, name)


def test_a_table_must_be_chosen_first() -> None:
    with pytest.raises(UserError, match="No table"):
        GroupingChoice(Way.TABLE).group(names("a"))
