"""Fine-tuning in a run folder: what comes out, and what may happen on the way."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.paths import user_models_dir
from retina_viewer.finetuning.finetune import finetune
from retina_viewer.finetuning.plan import Expert, TrainingPlan, save_plan
from retina_viewer.finetuning.run_folder import RunFolder
from retina_viewer.model_store.card import ModelCard, Verdict, read_card
from retina_viewer.model_store.extras import read_discriminators, save_discriminators
from retina_viewer.model_store.store import load_network
from retina_viewer.networks.discriminator import Discriminator
from retina_viewer.quality.conclusion import conclude
from retina_viewer.training.checkpoint import SavingFailed
from tests.finetuning.tiny_clinic import clinic_plan, tiny_cascade
from tests.model_store.models import make_unet

pytestmark = pytest.mark.slow
Events = list[Mapping[str, Any]]


@pytest.fixture(autouse=True)
def _verdict(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the gate was asked; it measures for minutes and has tests of its own."""
    asked: list[dict[str, Any]] = []

    def judge(base: ModelCard, tuned: ModelCard, held_out: list[Any], **more: Any) -> Verdict:
        asked.append({"base": base, "tuned": tuned, "held_out": held_out, **more})
        more["progress"](0.5, "comparing")
        return conclude(base, tuned, [], [])

    monkeypatch.setattr("retina_viewer.finetuning.tuning_run.judge", judge)
    return asked


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    tiny_cascade()
    folder = RunFolder(tmp_path / "run")
    folder.prepare(clinic_plan(tmp_path / "clinic"))
    return folder


def prepared(folder: Path, plan: TrainingPlan) -> RunFolder:
    run = RunFolder(folder)
    run.prepare(plan)
    return run


def named(events: Events, name: str) -> Events:
    return [event for event in events if event["event"] == name]


def when(name: str, then: Callable[[], None]) -> Callable[[Mapping[str, Any]], None]:
    """A listener that acts at the first event of that name."""
    done = False

    def listen(event: Mapping[str, Any]) -> None:
        nonlocal done
        if event["event"] == name and not done:
            done = True
            then()

    return listen


def test_a_pixel_trained_model_is_tuned_and_names_its_parent_not_its_patients(
    run: RunFolder,
) -> None:
    events: Events = []
    card = finetune(run, events=events.append)
    assert card is not None
    assert (card.name, card.parent, card.twin) == ("ours", "tiny 1", None)
    assert card.training.photographs == {"own": 2, "replay": 8}
    assert card.training.patients == 2
    text = (run.model / "card.json").read_text(encoding="utf-8")
    assert "patient0" not in text
    assert "group" not in text
    assert str(run.path.parent) not in text
    load_network(read_card(run.model))
    assert run.state().status == "finished"
    names = [event["event"] for event in events if event["event"] != "progress"]
    assert names[0] == "start"
    assert names[-4:] == ["model", "comparing", "verdict", "finished"]
    validations = named(events, "validation")
    assert [event["step"] for event in validations] == [0, 3, 6]
    assert {"psnr_gaussian", "ssim", "lpips", "score"} <= validations[0].keys()
    crops = named(events, "crops")[-1]
    shown = sorted(path.name for path in Path(crops["folder"]).iterdir())
    assert shown[:3] == ["patch01_after.png", "patch01_before.png", "patch01_truth.png"]
    written, _ = run.events_since()
    assert [event["event"] for event in written] == [event["event"] for event in events]


def test_the_first_two_steps_are_tuned_in_one_stage(tmp_path: Path) -> None:
    base = tiny_cascade()
    run = prepared(tmp_path / "run", clinic_plan(tmp_path / "clinic", steps=(1, 2)))
    events: Events = []
    card = finetune(run, events=events.append)
    assert card is not None
    assert len(card.training.iterations) == 1
    (validation, *_) = named(events, "validation")
    assert validation["task"] == "superres steps 1 to 2"
    assert {"psnr_gaussian", "psnr_gaussian_x2"} < set(validation)
    before, after = (load_network(one).state_dict() for one in (base, read_card(run.model)))
    for step in ("steps.0.", "steps.1."):
        names = [name for name in before if name.startswith(step)]
        assert any(not torch.equal(before[name], after[name]) for name in names)


def test_a_saliency_gan_is_tuned_with_its_twin(tmp_path: Path) -> None:
    tiny_cascade("twin")
    tiny_cascade("tiny", twin="twin", seed=1)
    run = prepared(tmp_path / "run", clinic_plan(tmp_path / "clinic"))
    events: Events = []
    card = finetune(run, events=events.append)
    assert card is not None
    twin = read_card(run.twin)
    assert (card.twin, card.fidelity, card.parent) == (twin.name, 0.5, "tiny 1")
    assert twin.parent == "twin 1"
    assert twin.parameters == card.parameters
    assert len(named(events, "stage finished")) == 2
    notices = [event["message"] for event in named(events, "notice")]
    assert any("discriminator of step 1 starts anew" in message for message in notices)
    assert list(read_discriminators(read_card(run.model))) == [1]


def test_a_saliency_gan_goes_on_with_the_discriminator_that_it_comes_with(tmp_path: Path) -> None:
    tiny_cascade("twin")
    base = tiny_cascade("tiny", twin="twin", seed=1)
    torch.manual_seed(3)
    opponent = Discriminator(narrow=4)  # as the shipped recipe has it
    save_discriminators({1: opponent.state_dict(), 2: opponent.state_dict()}, base)
    run = prepared(tmp_path / "run", clinic_plan(tmp_path / "clinic"))
    events: Events = []
    finetune(run, events=events.append)
    notices = [event["message"] for event in named(events, "notice")]
    assert not any("starts anew" in message for message in notices)
    begun, tuned = read_discriminators(base), read_discriminators(read_card(run.model))
    assert list(tuned) == [1, 2]
    moved = (tuned[1]["dense.0.weight"] - begun[1]["dense.0.weight"]).abs().max()
    assert 0 < float(moved) < 0.05  # six small steps away, not another network
    assert torch.equal(tuned[2]["dense.0.weight"], begun[2]["dense.0.weight"])


def test_a_vessel_model_is_tuned_on_drawn_masks(tmp_path: Path) -> None:
    make_unet(user_models_dir() / "veins")
    plan = clinic_plan(tmp_path / "clinic", task="vessels", base="veins")
    run = prepared(tmp_path / "run", plan)
    card = finetune(run)
    assert card is not None
    assert card.parent == "veins 1"
    assert card.threshold is not None
    assert 0 < card.threshold < 1


def test_the_verdict_is_of_the_held_out_photographs_and_kept_in_the_card(
    run: RunFolder, tmp_path: Path, _verdict: list[dict[str, Any]]
) -> None:
    card = finetune(run, events=when("start", lambda: shutil.rmtree(tmp_path / "clinic")))
    (asked,) = _verdict
    assert [photograph.id for photograph in asked["held_out"]] == [
        photograph.sha256 for photograph in run.read_plan().of("held_out")
    ]
    assert asked["held_out"][0].read_rgb().shape == (330, 317, 3)  # the clinic's folder is gone
    assert asked["scales"] == [2]
    assert asked["tuned"].directory == run.model
    assert card is not None
    assert card.verdict == Verdict.model_validate_json(run.verdict_file.read_bytes())
    assert card.verdict.conclusion == "too few"


def test_without_held_out_photographs_there_is_no_verdict(
    tmp_path: Path, _verdict: list[dict[str, Any]]
) -> None:
    tiny_cascade()
    plan = clinic_plan(tmp_path / "clinic")
    kept = tuple(p for p in plan.photographs if p.subset != "held_out")
    events: Events = []
    run = prepared(tmp_path / "run", plan.model_copy(update={"photographs": kept}))
    card = finetune(run, events=events.append)
    assert card is not None
    assert card.verdict is None
    assert not _verdict
    notices = [event["message"] for event in named(events, "notice")]
    assert any("no verdict" in message for message in notices)
    assert any("uncertainty map" in message for message in notices)  # one patient


def test_what_is_kept_is_never_worse_on_validation_than_the_base(tmp_path: Path) -> None:
    tiny_cascade()
    expert = clinic_plan(tmp_path / "clinic").expert.model_copy(update={"rate": 0.01})
    run = prepared(tmp_path / "run", clinic_plan(tmp_path / "clinic", expert=expert))
    events: Events = []
    finetune(run, events=events.append)
    scores = [event["score"] for event in named(events, "validation")]
    assert named(events, "stage finished")[0]["best_score"] == max(scores) >= scores[0]


def test_the_time_budget_becomes_steps_by_a_trial(tmp_path: Path) -> None:
    tiny_cascade()
    plan = clinic_plan(tmp_path / "clinic", minutes=0.05)
    expert = plan.expert.model_copy(update={"iterations": None, "validate_every": None})
    run = prepared(tmp_path / "run", plan.model_copy(update={"expert": expert}))
    events: Events = []
    card = finetune(run, events=events.append)
    assert card is not None
    trial, start = named(events, "trial")[0], named(events, "start")[0]
    assert trial["steps_per_second"] > 0
    assert start["seconds_planned"] == 3
    assert 0 < start["seconds_after"] < 600
    assert [event["photographs"] for event in named(events, "comparing")] == [1]
    finished = next(n for n, one in enumerate(events) if one["event"] == "stage finished")
    said = {one["what"] for one in events[finished:] if one["event"] == "progress"}
    assert not any("/" in what for what in said), said  # words for people, no keys
    assert 10 <= start["steps_planned"] <= max(10, 3 * trial["steps_per_second"])


def test_pause_leaves_a_checkpoint_and_going_on_ends_at_the_same_weights(
    run: RunFolder, tmp_path: Path
) -> None:
    assert finetune(run, events=when("losses", lambda: run.request("pause"))) is None
    assert run.state().status == "paused"
    assert not run.model.exists()
    resumed = finetune(run)
    other = prepared(tmp_path / "unbroken", run.read_plan())
    unbroken = finetune(other)
    assert resumed is not None
    assert unbroken is not None
    assert resumed.weights_sha256 == unbroken.weights_sha256
    with pytest.raises(UserError, match="is finished"):
        finetune(run)


def test_stop_keeps_the_best_so_far(run: RunFolder) -> None:
    card = finetune(run, events=when("start", lambda: run.request("stop")))
    assert card is not None
    assert card.training.iterations[0] < 6
    assert run.state().status == "finished"


def test_cancel_keeps_nothing(run: RunFolder) -> None:
    assert finetune(run, events=when("losses", lambda: run.request("cancel"))) is None
    assert run.state().status == "cancelled"
    left = {path.name for path in run.path.iterdir()}
    assert left == {"plan.toml", "state.json", "events.jsonl"}


def test_a_cancelled_callback_pauses(run: RunFolder) -> None:
    def cancel(fraction: float, what: str) -> None:
        if what.startswith("superres"):
            raise Cancelled

    with pytest.raises(Cancelled):
        finetune(run, progress=cancel)
    assert run.state().status == "paused"


@pytest.mark.parametrize("raised", [MemoryError(), OSError(5, "Input/output error", "drive")])
def test_what_the_machine_refuses_pauses_and_is_no_error_of_the_program(
    run: RunFolder, raised: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise raised

    monkeypatch.setattr("retina_viewer.finetuning.finetune.TuningRun", refuse)
    with pytest.raises(UserError):
        finetune(run)
    assert run.state().status == "paused"
    assert "program" not in run.state().message


def test_a_folder_that_vanishes_before_it_is_read_pauses_with_its_name(
    run: RunFolder, tmp_path: Path
) -> None:
    (tmp_path / "clinic").rename(tmp_path / "unplugged")
    with pytest.raises(UserError, match="cannot be read"):
        finetune(run)
    state = run.state()
    assert state.status == "paused"
    assert "patient3" in state.message
    assert "drive" in state.hint
    (tmp_path / "unplugged").rename(tmp_path / "clinic")
    assert finetune(run) is not None


def test_a_folder_that_vanishes_later_is_not_missed(run: RunFolder, tmp_path: Path) -> None:
    unplug = when("start", lambda: shutil.rmtree(tmp_path / "clinic"))
    assert finetune(run, events=unplug) is not None


def test_a_photograph_that_changed_since_is_refused(run: RunFolder, tmp_path: Path) -> None:
    first, second = sorted((tmp_path / "clinic").glob("patient[01]_?.png"))
    shutil.copy(second, first)
    with pytest.raises(UserError, match="has changed"):
        finetune(run)
    assert run.state().status == "failed"


def test_a_full_disk_pauses_and_corrupts_nothing(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the space ends, the training can go on, to the same weights."""
    unbroken = finetune(prepared(tmp_path / "unbroken", run.read_plan()))
    assert unbroken is not None
    real = os.fsync
    for space in (0, 2, 4, 6):
        left = space

        def full(descriptor: int) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            real(descriptor)

        with monkeypatch.context() as patch, pytest.raises(UserError, match="disk is full"):
            patch.setattr("os.fsync", full)
            finetune(run)
    resumed = finetune(run)
    assert resumed is not None
    assert resumed.weights_sha256 == unbroken.weights_sha256


def test_a_checkpoint_that_cannot_be_written_pauses_with_the_reason(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise SavingFailed("The disk is full: stage1.safetensors was not written.", "Free some.")

    monkeypatch.setattr("retina_viewer.training.checkpoint.save_checkpoint", fail)
    with pytest.raises(UserError, match="disk is full"):
        finetune(run)
    assert run.state().status == "paused"
    assert run.state().hint == "Free some."
    assert run.events_since()[0][-1]["event"] == "paused"


def test_two_processes_do_not_work_in_one_folder(run: RunFolder) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from retina_viewer.finetuning.run_folder import RunFolder\n"
        "RunFolder(Path(sys.argv[1])).set_state('running'); print('ready', flush=True); input()"
    )
    command = [sys.executable, "-c", code, str(run.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(UserError, match="running already"):
            finetune(run)
        other.kill()


def test_a_base_that_does_not_fit_fails_at_once(tmp_path: Path) -> None:
    tiny_cascade()
    run = prepared(tmp_path / "a", clinic_plan(tmp_path / "clinic", steps=(1, 3)))
    with pytest.raises(UserError, match="has no step 3"):
        finetune(run)
    assert run.state().status == "failed"
    other = prepared(tmp_path / "b", clinic_plan(tmp_path / "clinic", base="vessels-unet"))
    with pytest.raises(UserError, match="cannot be tuned for superres"):
        finetune(other)


KILLED = """
import json, os, random, signal, sys, time
from pathlib import Path
import torch
import torch._dynamo  # optimisers import it: once here, and not in every child
torch.set_num_threads(1)
from retina_viewer.training import loop
from retina_viewer.finetuning.finetune import finetune
from retina_viewer.finetuning.plan import load_plan
from retina_viewer.finetuning.run_folder import RunFolder

loop.CHECKPOINT_SECONDS = 0.0  # at every step, instead of once a minute

def start(folder):
    child = os.fork()
    if child == 0:
        try:
            finetune(RunFolder(folder), device="cpu")
        finally:
            os._exit(0)
    return child

def fresh():
    global number
    number += 1
    run = RunFolder(Path(sys.argv[1]) / f"run{number}")
    run.prepare(plan)
    return run.path

def finish(folder):
    if RunFolder(folder).state().status != "finished":
        os.waitpid(start(folder), 0)
    print(json.loads((folder / "model" / "card.json").read_text())["weights_sha256"])

plan, number = load_plan(Path(sys.argv[1]) / "plan.toml"), 0
whole = time.monotonic()
finish(fresh())
whole = time.monotonic() - whole
moments, kills, folder = random.Random(7), 0, fresh()
while kills < int(sys.argv[2]):
    child = start(folder)
    time.sleep(moments.uniform(0, 0.6 * whole))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    kills += os.WIFSIGNALED(status)
    if not os.WIFSIGNALED(status):  # it was faster than the kill
        finish(folder)
        folder = fresh()
finish(folder)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.verify)])
def test_killed_many_times_it_ends_with_the_weights_of_an_unbroken_run(
    tmp_path: Path, kills: int
) -> None:
    tiny_cascade()
    plan = clinic_plan(tmp_path / "clinic")
    expert = Expert(
        **plan.expert.model_dump(exclude={"iterations", "validate_every"}),
        iterations=30,
        validate_every=15,
    )
    kept = tuple(p for p in plan.photographs if p.subset != "held_out")  # no gate
    plan = plan.model_copy(update={"expert": expert, "photographs": kept})
    save_plan(plan, tmp_path / "plan.toml")
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(kills)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert result.returncode == 0, result.stderr
    unbroken, *killed = result.stdout.split()
    assert killed
    assert set(killed) == {unbroken}
    for run in (RunFolder(tmp_path / f"run{n + 2}") for n in range(len(killed))):
        assert run.state().status == "finished"
        assert all("event" in event for event in run.events_since()[0])
