"""What a plan means: recipes from the shipped ones, and a time budget in steps."""

from pathlib import Path
from typing import Any

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import resources_dir
from retina_viewer.finetuning.budget import (
    Schedule,
    Speed,
    fixed_stage,
    load_schedule,
    save_schedule,
    schedule_of,
)
from retina_viewer.finetuning.plan import Expert, Preset
from retina_viewer.finetuning.tuning import (
    PRESETS,
    StageSchedule,
    recipes_of,
    replay_share,
    stage_count,
)
from retina_viewer.model_store.store import find_model
from retina_viewer.training.recipe import (
    SaliencyGanRecipe,
    SuperresRecipe,
    VesselRecipe,
    load_recipe,
)
from tests.finetuning.plans import photograph, some_plan
from tests.finetuning.tiny_clinic import tiny_cascade


def scheduled(iterations: int, every: int) -> StageSchedule:
    return StageSchedule(
        iterations=iterations, validate_every=every, precision="float32", seconds=0, log_every=5
    )


def test_a_cascade_is_tuned_with_the_shipped_losses_and_a_lower_rate() -> None:
    base, plan = find_model("pixel-fast"), some_plan(base="pixel-fast", steps=(2, 3))
    (recipe,) = recipes_of(plan, base, [scheduled(300, 15), scheduled(200, 10)])
    assert isinstance(recipe, SuperresRecipe)
    shipped = load_recipe(resources_dir() / "recipes" / "superres-pixel-fast.toml")
    assert isinstance(shipped, SuperresRecipe)
    assert [(stage.step, stage.together) for stage in recipe.stages] == [(2, False), (3, False)]
    assert [stage.optimisation.iterations for stage in recipe.stages] == [300, 200]
    for stage in recipe.stages:
        like = [one for one in shipped.stages if one.step == stage.step][-1]
        assert stage.patch == like.patch
        assert stage.optimisation.rate == pytest.approx(0.15 * like.optimisation.rate)
        assert stage.optimisation.validate_first
        assert stage.sharpening.probability == 0
    ranges = recipe.degradation
    assert ranges.noise_probability < shipped.degradation.noise_probability
    assert ranges.jpeg_probability < shipped.degradation.jpeg_probability
    left = {"noise_probability", "jpeg_probability"}
    assert ranges.model_dump(exclude=left) == shipped.degradation.model_dump(exclude=left)
    assert recipe.architecture == shipped.architecture


@pytest.mark.parametrize(
    ("steps", "stages"),
    [((1,), [(1, False)]), ((1, 2), [(2, True)]), ((1, 2, 4), [(2, True), (4, False)])],
)
def test_the_first_two_steps_are_tuned_together(
    steps: tuple[int, ...], stages: list[tuple[int, bool]]
) -> None:
    base, plan = find_model("saliency-gan-fast"), some_plan(base="saliency-gan-fast", steps=steps)
    assert stage_count(plan, base) == len(stages) + len(steps)
    first, second = recipes_of(plan, base)
    assert isinstance(first, SuperresRecipe)
    assert [(stage.step, stage.together) for stage in first.stages] == stages
    assert isinstance(second, SaliencyGanRecipe)
    assert [stage.step for stage in second.stages] == list(steps)
    (alone,) = recipes_of(plan, find_model("pixel-fast"))
    assert alone == first


def test_a_saliency_gan_is_tuned_after_its_twin() -> None:
    tiny_cascade("twin")
    base = tiny_cascade("tiny", twin="twin")
    plan = some_plan(base="tiny", steps=(2,))
    assert stage_count(plan, base) == 2
    first, second = recipes_of(plan, base)
    assert isinstance(first, SuperresRecipe)
    assert isinstance(second, SaliencyGanRecipe)
    assert (first.base, second.base) == ("twin", "tiny")
    shipped = load_recipe(resources_dir() / "recipes" / "saliency-gan-fast.toml")
    assert isinstance(shipped, SaliencyGanRecipe)
    assert second.stages[0].weights == shipped.stages[1].weights


def test_a_vessel_model_keeps_its_working_resolution() -> None:
    mask = {"mask": Path("m.png")}
    photographs = (photograph(1, "train", **mask), photograph(2, "validation", **mask))
    plan = some_plan(task="vessels", base="vessels-unet", photographs=photographs)
    (recipe,) = recipes_of(plan, find_model("vessels-unet"))
    assert isinstance(recipe, VesselRecipe)
    assert recipe.field_diameter == 640


def test_an_expert_has_the_last_word() -> None:
    expert = Expert(rate=1e-5, patience=3, replay=0.0, ema=0.5, batch=2, patch=20)
    plan = some_plan(base="tiny", steps=(1,), expert=expert)
    (recipe,) = recipes_of(plan, tiny_cascade())
    stage = recipe.stages[0]
    assert isinstance(recipe, SuperresRecipe)
    optimisation = stage.optimisation
    assert (optimisation.rate, optimisation.patience, optimisation.ema) == (1e-5, 3, 0.5)
    assert (optimisation.batch, stage.patch, replay_share(plan)) == (2, 20, 0.0)
    assert optimisation.final_rate < optimisation.rate


@pytest.mark.parametrize("preset", PRESETS)
def test_gentler_presets_learn_less_and_practise_more(preset: Preset) -> None:
    order: list[Preset] = ["gentle", "standard", "thorough"]
    stronger = order[order.index(preset) + 1 :]
    for other in stronger:
        assert PRESETS[preset].rate < PRESETS[other].rate
        assert PRESETS[preset].replay > PRESETS[other].replay
        assert PRESETS[preset].patience < PRESETS[other].patience


def test_a_base_that_does_not_fit_is_refused() -> None:
    with pytest.raises(UserError, match="has no step 3"):
        recipes_of(some_plan(steps=(1, 3)), tiny_cascade())
    with pytest.raises(UserError, match="cannot be tuned for superres"):
        recipes_of(some_plan(), find_model("vessels-unet"))


@pytest.mark.parametrize(
    ("speed", "minutes"),
    [
        (Speed(0.2, 2.0, "float32"), 30.0),
        (Speed(2.0, 30.0, "float32"), 30.0),
        (Speed(0.01, 0.1, "float32"), 600.0),
        (Speed(1.0, 60.0, "float32"), 10.0),
    ],
)
def test_steps_and_validations_fit_into_the_time(speed: Speed, minutes: float) -> None:
    (stage,) = schedule_of(some_plan(minutes=minutes), [speed]).stages
    validations = 1 + stage.iterations / stage.validate_every
    seconds = stage.iterations * speed.seconds_per_step
    total = seconds + validations * speed.seconds_per_validation
    assert 0.9 * 60 * minutes < total < 1.05 * 60 * minutes
    assert validations * speed.seconds_per_validation <= 0.3 * 60 * minutes
    assert stage.seconds == 60 * minutes


def test_stages_share_the_time_equally() -> None:
    speeds = [Speed(0.1, 1.0, "float32"), Speed(0.4, 1.0, "bfloat16")]
    schedule = schedule_of(some_plan(minutes=20), speeds)
    assert schedule.seconds == 1200
    first, second = schedule.stages
    assert first.iterations == pytest.approx(4 * second.iterations, rel=0.02)
    assert (first.precision, second.precision) == ("float32", "bfloat16")


def test_even_the_smallest_budget_trains_a_little() -> None:
    (stage,) = schedule_of(some_plan(minutes=0.01), [Speed(5.0, 60.0, "float32")]).stages
    assert stage.iterations == 10


@pytest.mark.parametrize("expert", [{}, {"validate_every": 7}, {"validate_every": 900}])
def test_fixed_steps_need_no_trial(expert: dict[str, Any]) -> None:
    plan = some_plan(expert=Expert(**expert))
    stage = fixed_stage(plan, 60, "float32")
    every = min(60, expert.get("validate_every", 6))
    assert (stage.iterations, stage.validate_every) == (60, every)


def test_a_schedule_is_kept_and_a_damaged_one_said(tmp_path: Path) -> None:
    path = tmp_path / "schedule.json"
    assert load_schedule(path) is None
    schedule = Schedule(stages=(fixed_stage(some_plan(), 60, "float32"),))
    save_schedule(schedule, path)
    assert load_schedule(path) == schedule
    whole = path.read_text(encoding="utf-8")
    for damaged in ("{", "[" * 100_000, whole.replace("60", "0"), whole.replace("0.0", "NaN")):
        assert damaged != whole
        path.write_text(damaged, encoding="utf-8")
        with pytest.raises(UserError, match="is damaged"):
            load_schedule(path)
