"""What the options page says a time budget is worth."""

import pytest

from retina_viewer.finetuning.budget import Speed
from retina_viewer.ui.training.time_budget import budget_in_words, stage_names
from tests.finetuning.plans import some_plan


@pytest.mark.parametrize(
    ("steps", "count", "names"),
    [
        ((1,), 1, ["×2"]),
        ((1, 2), 1, ["×2 with ×4"]),
        ((1, 2, 3), 2, ["×2 with ×4", "×8"]),
        ((1, 2), 3, ["×2 with ×4 (pixel-trained)", "×2 (GAN)", "×4 (GAN)"]),
    ],
)
def test_every_stage_is_named_after_what_it_makes(
    steps: tuple[int, ...], count: int, names: list[str]
) -> None:
    assert stage_names(some_plan(steps=steps), count) == names


def test_the_minutes_are_told_in_steps_of_each_stage() -> None:
    speed = Speed(seconds_per_step=1.0, seconds_per_validation=1.0, precision="float32")
    told = budget_in_words(some_plan(steps=(1, 2, 3), minutes=20.0), [speed, speed])
    steps = "579 steps of ×2 with ×4 and 579 steps of ×8"
    assert told == f"On this computer 20 min are worth about {steps}."
