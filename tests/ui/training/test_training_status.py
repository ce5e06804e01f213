"""What a training has told, put together; and where it stands."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retina_viewer.finetuning.run_folder import RunState, RunStatus
from retina_viewer.ui.training.training_status import (
    Phase,
    TrainingStatus,
    duration,
    in_words,
    phase_of,
)
from retina_viewer.ui.widgets.learning_history import Curve

START = {"event": "start", "device": "cpu", "seconds_planned": 600, "stages": [100, 100]}


def losses(step: int, stage: int = 1, value: float = 0.1) -> dict[str, object]:
    return {
        "event": "losses", "task": f"superres step {stage}", "stage": stage, "step": step,
        "iterations": 100, "steps_per_second": 2.0, "memory_mb": 900, "generator/rgb": value,
        "time": 1.0,
    }  # fmt: skip


def validation(step: int, psnr: float, stage: int = 1) -> dict[str, object]:
    return {
        "event": "validation", "task": f"superres step {stage}", "stage": stage, "step": step,
        "psnr_gaussian": psnr, "score": psnr,
    }  # fmt: skip


def test_losses_and_validations_become_curves_of_their_stage() -> None:
    status = TrainingStatus()
    assert status.take([START, losses(10), validation(10, 38.0), losses(20, stage=2)])
    assert status.stages == 2
    assert [one.name for one in status.history.curves(0)] == [
        "generator/rgb", "psnr_gaussian", "score",
    ]  # fmt: skip
    assert [one.name for one in status.history.curves(1)] == ["generator/rgb"]
    assert (status.stage, status.step, status.iterations) == (1, 20, 100)
    assert (status.device, status.memory_mb, status.steps_per_second) == ("cpu", 900, 2.0)


def test_what_a_killed_training_tells_again_replaces_what_it_told_first() -> None:
    status = TrainingStatus()
    status.take([losses(10, value=0.3), validation(10, 38), losses(20, value=0.2), losses(30)])
    status.take([losses(20, value=0.5)])
    (curve,) = [one for one in status.history.curves(0) if one.is_loss]
    assert list(curve.steps) == [10, 20]
    assert list(curve.values) == [0.3, 0.5]
    assert status.validated_step == 10


def test_the_time_left_counts_the_stages_to_come_and_what_comes_after_them() -> None:
    assert TrainingStatus().seconds_left is None
    status = TrainingStatus()
    status.take([START | {"seconds_after": 200}])
    assert status.seconds_left == 800
    status.take([losses(40)])
    assert status.seconds_left == pytest.approx(60 / 2 + 300 + 200)
    status.take([losses(100, stage=2)])
    assert status.seconds_left == 200


def progress(fraction: float, what: str, at: float) -> dict[str, object]:
    return {"event": "progress", "fraction": fraction, "what": what, "time": at}


def test_after_the_steps_the_time_left_is_that_of_calibration_and_verdict() -> None:
    status = TrainingStatus()
    finished = {"event": "stage finished", "stage": 2, "steps": 100, "time": 1000.0}
    status.take([START | {"seconds_after": 200}, losses(100, stage=2), finished])
    assert status.seconds_left == 200
    status.take([progress(0.88, "calibrating the map", 1050.0)])
    assert status.seconds_left == 150
    status.take([progress(0.9, "comparing", 1060.0), {"event": "comparing", "time": 1060.0}])
    assert status.seconds_left == 140
    status.take([progress(0.95, "comparing", 1360.0)])  # slower than was thought: half in 300 s
    assert status.seconds_left == pytest.approx(300)
    status.take([progress(1.0, "compared", 1660.0)])
    assert status.seconds_left == pytest.approx(0)


def test_what_was_not_measured_is_not_told_as_the_time_left() -> None:
    status = TrainingStatus()
    status.take([START, losses(40)])
    assert status.seconds_left is None
    assert status.seconds_of_training_left == pytest.approx(60 / 2 + 300)
    status = TrainingStatus()
    late = {"event": "stage finished", "stage": 2, "steps": 100, "time": 1000.0}
    status.take([START | {"seconds_after": 5}, late, progress(0.89, "calibrating", 1100.0)])
    assert status.seconds_left is None  # and not 0 s for minutes


def test_progress_tells_what_is_done_where_no_steps_are() -> None:
    status = TrainingStatus()
    status.take([{"event": "progress", "fraction": 0.02, "what": "decoding"}])
    assert (status.fraction, status.activity) == (0.02, "decoding")
    status.take([losses(1), {"event": "progress", "fraction": 0.3, "what": "superres step 1"}])
    assert (status.fraction, status.activity) == (0.3, "")


def test_notices_and_crops_are_kept_and_unknown_events_are_no_harm() -> None:
    status = TrainingStatus()
    status.take(
        [
            {"event": "notice", "message": "The batch was made smaller."},
            {"event": "crops", "stage": 1, "folder": "/somewhere/stage1", "patches": 3},
            {"event": "something new"},
            {"no": "event"},
        ]
    )
    assert status.notices == ["The batch was made smaller."]
    assert status.crops == Path("/somewhere/stage1")
    assert not status.take([])


@given(st.lists(st.tuples(st.integers(1, 60), st.booleans()), max_size=40))
def test_steps_of_a_curve_only_rise_whatever_is_told_again(told: list[tuple[int, bool]]) -> None:
    status = TrainingStatus()
    status.take([validation(s, 30.0 + s) if judged else losses(s) for s, judged in told])
    for curve in status.history.curves(0) if status.history.stages else []:
        assert np.all(np.diff(curve.steps) > 0)


@pytest.mark.parametrize(
    ("status", "alive", "starting", "phase"),
    [
        ("prepared", False, False, Phase.PREPARED),
        ("prepared", False, True, Phase.STARTING),
        ("running", True, False, Phase.RUNNING),
        ("running", False, False, Phase.KILLED),
        ("running", False, True, Phase.STARTING),  # the old pid; the new process is on its way
        ("paused", False, True, Phase.STARTING),
        ("paused", False, False, Phase.PAUSED),
        ("finished", False, True, Phase.FINISHED),
        ("failed", False, False, Phase.FAILED),
        ("cancelled", False, False, Phase.CANCELLED),
    ],
)
def test_phases(status: RunStatus, alive: bool, starting: bool, phase: Phase) -> None:
    state = RunState(status=status, created=datetime.now(UTC))
    assert phase_of(state, alive, starting) is phase
    assert phase_of(None, alive, starting) is Phase.GONE


def curve(name: str, *values: float) -> Curve:
    return Curve(name, np.arange(float(len(values))), np.array(values), None)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (curve("psnr_gaussian", 38.0, 38.5), "rose from 38.00 to 38.50: better."),
        (curve("psnr_gaussian", 38.0, 37.5), "fell from 38.00 to 37.50: worse so far."),
        (curve("lpips", 0.3, 0.2), "fell from 0.3000 to 0.2000: better."),
        (curve("ssim", 0.9), "at the start: 0.9000 (higher is better)."),
        (curve("lpips", 0.3, 0.3), "is where it began, at 0.3000 (lower is better)."),
    ],
)
def test_curves_in_words(one: Curve, expected: str) -> None:
    assert in_words(one).endswith(expected)


def test_durations() -> None:
    texts = [duration(s) for s in (40, 1800, 5399, 7500)]
    assert texts == ["40 s", "30 min", "1 h 30 min", "2 h 05 min"]
