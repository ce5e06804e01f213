"""train, as a person or the training wizard starts it."""

import json
import os
import shlex
import signal
from pathlib import Path
from typing import Any

import pytest

from retina_viewer.cli import learning, main
from retina_viewer.core.errors import Cancelled
from retina_viewer.core.paths import user_runs_dir
from retina_viewer.core.progress import no_progress
from retina_viewer.finetuning.plan import save_plan
from retina_viewer.finetuning.run_folder import RunFolder
from tests.finetuning.plans import some_plan


@pytest.fixture
def tuning(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the fine-tuning was asked to do; it sends three events and learns nothing."""
    asked: dict[str, Any] = {}

    def finetune(run: RunFolder, **options: Any) -> None:
        asked.update(run=run, **options)
        run.append_event({"event": "start"})
        options["events"]({"event": "losses", "step": 200, "pixel": 0.0123456})
        options["events"]({"event": "progress", "fraction": 0.5})  # the console has its own
        options["progress"](0.5, "superres step 1")

    monkeypatch.setattr("retina_viewer.finetuning.finetune.finetune", finetune)
    return asked


def test_a_plan_is_trained_in_its_run_folder(
    tuning: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "plan.toml"
    save_plan(some_plan(), plan)
    command = ["train", "--plan", str(plan), "--out", str(tmp_path / "run"), "--json"]
    assert main(command) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[0] == {"event": "losses", "step": 200, "pixel": 0.0123456}
    assert [event["event"] for event in events] == ["losses", "progress"]
    run = RunFolder(tmp_path / "run")
    assert run.read_plan() == some_plan()
    devices = [tuning["device"]]  # auto leaves it to the plan
    assert main(command) == 1
    assert "holds a training already" in capsys.readouterr().err
    assert main([*command, "--resume", "--device", "cpu"]) == 0
    assert [*devices, tuning["device"]] == [None, "cpu"]
    save_plan(some_plan(minutes=3), plan)
    assert main([*command, "--resume"]) == 1
    assert "another plan" in capsys.readouterr().err


def test_a_plan_has_a_folder_among_the_persons_runs_by_default(
    tuning: dict[str, Any], tmp_path: Path
) -> None:
    save_plan(some_plan(), tmp_path / "plan.toml")
    assert main(["train", "--plan", str(tmp_path / "plan.toml")]) == 0
    assert tuning["run"].path == user_runs_dir() / "ours"


def test_a_plan_that_cannot_be_read_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--plan", "gone.toml"]) == 1
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("words", ([], ["--resume"], ["vessels", ".", "--plan", "p.toml"]))
def test_a_plan_is_needed_and_names_its_photographs_itself(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["train", *words])
    assert caught.value.code == 2


@pytest.mark.parametrize(
    "old",
    [
        ["evaluate", "sr", "DATA", "--scales", "2", "-o", "my tables"],
        ["train", "vessels", "DATA", "--resume"],
        ["models", "record", "mine", "superres.json"],
    ],
)
def test_what_went_to_the_studies_says_the_new_command(
    old: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(old) == 2
    said = capsys.readouterr()
    new = shlex.join(old[1:] if old[0] == "models" else old)
    assert f"python -m studies {new}" in said.err
    assert not said.out


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="only POSIX has it")
def test_a_closed_terminal_pauses_a_training_unless_that_is_ignored() -> None:
    before = signal.getsignal(signal.SIGHUP)
    try:
        for handler in (signal.SIG_IGN, signal.SIG_DFL):
            signal.signal(signal.SIGHUP, handler)
            with learning.stoppable(no_progress) as progress:
                os.kill(os.getpid(), signal.SIGHUP)
                if handler is signal.SIG_IGN:
                    progress(0.5, "training")
                else:
                    with pytest.raises(Cancelled):
                        progress(0.5, "training")
            assert signal.getsignal(signal.SIGHUP) is handler
    finally:
        signal.signal(signal.SIGHUP, before)
