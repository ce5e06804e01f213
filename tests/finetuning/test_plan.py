"""Plans: kept, checked, and without a way for a patient into two subsets."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from retina_viewer.core.errors import UserError
from retina_viewer.finetuning.plan import Expert, load_plan, save_plan
from tests.finetuning.plans import photograph, some_plan


def test_a_plan_comes_back_as_it_was(tmp_path: Path) -> None:
    mask = {"mask": Path("m.png"), "mask_sha256": "a" * 64, "mask_inverted": True}
    photographs = (photograph(1, "train", **mask), photograph(2, "validation", **mask))
    plan = some_plan(task="vessels", photographs=photographs, expert=Expert(rate=3e-5, seed=4))
    save_plan(plan, tmp_path / "plan.toml")
    assert load_plan(tmp_path / "plan.toml") == plan


def test_a_photograph_whose_name_is_not_utf_8_comes_back(tmp_path: Path) -> None:
    odd = Path(os.fsdecode(b"/clinic/M\xfcller.png"))
    photographs = (photograph(1, "train", path=odd), photograph(2, "validation"))
    save_plan(some_plan(photographs=photographs), tmp_path / "plan.toml")
    assert load_plan(tmp_path / "plan.toml").photographs[0].path == odd


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"steps": ()}, "rising numbers"),
        ({"steps": (2, 1)}, "rising numbers"),
        ({"steps": (5,)}, "rising numbers"),
        ({"task": "vessels"}, "needs a mask"),
        ({"name": "../elsewhere"}, "pattern"),
        ({"minutes": 0}, "greater than 0"),
        ({"photographs": (photograph(1, "train"),)}, "no photograph is for validation"),
        (
            {
                "photographs": (
                    photograph(1, "train", group="same"),
                    photograph(2, "validation", group="same"),
                )
            },
            "a patient is in two subsets",
        ),
        (
            {
                "photographs": (
                    photograph(1, "train", sha256="b" * 64),
                    photograph(2, "validation", sha256="b" * 64),
                )
            },
            "a photograph is in two subsets",
        ),
    ],
)
def test_plans_that_cannot_be(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        some_plan(**changes)


def test_a_damaged_plan_is_named(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    with pytest.raises(UserError, match="cannot be read"):
        load_plan(path)
    path.write_text("name = ", encoding="utf-8")
    with pytest.raises(UserError, match="not valid TOML"):
        load_plan(path)
    save_plan(some_plan(), path)
    path.write_text(path.read_text(encoding="utf-8") + "surprise = 1\n", encoding="utf-8")
    with pytest.raises(UserError, match="surprise"):
        load_plan(path)


def test_the_digest_tells_plans_apart_but_not_where_files_lie() -> None:
    plan = some_plan()
    moved = some_plan(
        photographs=tuple(
            p.model_copy(update={"path": Path("/other") / p.path.name, "group": f"x{p.group}"})
            for p in plan.photographs
        )
    )
    assert moved.digest() == plan.digest()
    assert some_plan(minutes=31).digest() != plan.digest()
    swapped = (photograph(1, "validation"), photograph(2, "train"), photograph(3, "held_out"))
    assert some_plan(photographs=swapped).digest() != plan.digest()


@pytest.mark.parametrize(
    ("steps", "stages"),
    [
        ((1,), [(1,)]),
        ((2,), [(2,)]),
        ((1, 2), [(1, 2)]),
        ((3, 4), [(3,), (4,)]),
        ((1, 2, 3, 4), [(1, 2), (3,), (4,)]),
    ],
)
def test_the_first_two_steps_make_one_stage(
    steps: tuple[int, ...], stages: list[tuple[int, ...]]
) -> None:
    assert some_plan(steps=steps).pixel_stages == stages
