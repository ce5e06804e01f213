"""train and evaluate, as a person or the training wizard starts them."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from retina_viewer.cli import learning, main
from retina_viewer.cli.learning import find_recipe
from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.paths import resources_dir, user_runs_dir
from retina_viewer.core.progress import no_progress
from retina_viewer.finetuning.plan import save_plan
from retina_viewer.finetuning.run_folder import RunFolder
from tests.finetuning.plans import some_plan


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the loop was asked to do; it sends two events and learns nothing."""
    asked: dict[str, Any] = {}

    def train(recipe: Path, data: Path, out: Path, **options: Any) -> None:
        asked.update(recipe=recipe, data=data, out=out, **options)
        options["events"]({"event": "losses", "step": 200, "pixel": 0.0123456})
        options["progress"](0.5, "step 200")
        options["events"]({"event": "model", "folder": str(out / "model")})

    monkeypatch.setattr("studies.train.train", train)
    return asked


def test_recipes_are_found_by_path_and_by_name(tmp_path: Path) -> None:
    bundled = resources_dir() / "recipes" / "vessels.toml"
    assert find_recipe(Path("vessels")) == bundled
    assert find_recipe(Path("vessels.toml")) == bundled
    mine = tmp_path / "vessels.toml"
    mine.touch()
    assert find_recipe(mine) == mine
    with pytest.raises(UserError, match="no recipe") as caught:
        find_recipe(tmp_path / "gone.toml")
    assert "vessels" in caught.value.hint


def test_training_reports_events_as_json_lines(
    training: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "vessels", str(tmp_path), "--out", str(tmp_path / "run"), "--json"]
    assert main([*command, "--resume", "--device", "cpu"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[0] == {"event": "losses", "step": 200, "pixel": 0.0123456}
    assert events[-1] == {"event": "model", "folder": str(tmp_path / "run" / "model")}
    assert training["recipe"].name == "vessels.toml"
    assert (training["device"], training["resume"]) == ("cpu", True)


def test_training_has_a_folder_of_its_own_by_default(
    training: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "vessels", str(tmp_path)]) == 0
    assert training["out"] == Path("runs/vessels")
    assert "losses  step 200  pixel 0.012346" in capsys.readouterr().out


@pytest.fixture
def heard() -> Iterator[None]:
    """Also where the tests themselves were started in the background, with interrupts ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_and_terminate_cancel_at_the_next_report(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reached: list[str] = []

    def train(recipe: Path, data: Path, out: Path, **options: Any) -> None:
        os.kill(os.getpid(), number)
        reached.append("after the signal")  # the step in progress is finished
        options["progress"](0.5, "step 1")
        reached.append("after the report")

    before = signal.getsignal(number)
    monkeypatch.setattr("studies.train.train", train)
    assert main(["train", "vessels", str(tmp_path), "--out", str(tmp_path / "run")]) == 130
    assert reached == ["after the signal"]
    assert signal.getsignal(number) is before


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


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["train"], "Nothing was said to train"),
        (["train", "vessels"], "Nothing was said to train"),
        (["train", "vessels", ".", "--plan", "p.toml"], "names its photographs itself"),
        (["train", "--plan", "gone.toml"], "cannot be read"),
    ],
)
def test_what_cannot_be_trained_is_explained(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    assert complaint in capsys.readouterr().err


def test_a_missing_data_folder_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "superres-pixel", str(tmp_path / "gone"), "--out", str(tmp_path / "run")]
    assert main([*command, "--device", "cpu"]) == 1
    assert "does not exist" in capsys.readouterr().err


def test_evaluate_measures_prints_and_writes(
    samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = tmp_path / "CHASE_DB1" / "images"
    images.mkdir(parents=True)
    with Image.open(samples / "chase_14L.jpg") as image:
        image.resize((250, 240), Image.Resampling.BOX).save(images / "Image_14L.jpg", quality=95)
    out = tmp_path / "tables"
    command = ["evaluate", "sr", str(tmp_path), "--scales", "2", "--methods", "lanczos", "bicubic"]
    settings = ["--reference", "lanczos", "--no-back-projection"]
    assert main([*command, *settings, "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert "lanczos" in said
    assert str(out) in said
    report = json.loads((out / "superres.json").read_text(encoding="utf-8"))
    command_line = report["provenance"]["command"]
    assert "--methods lanczos bicubic" in command_line
    assert "--no-back-projection --reference lanczos" in command_line
    bicubic = next(row for row in report["summary"] if row["method"] == "bicubic")
    assert "p" in bicubic  # tested against Lanczos


def test_the_sweep_over_fidelities_needs_a_model(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", "fidelity", str(tmp_path)])
    assert caught.value.code == 2


def test_evaluating_nothing_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for what in ("sr", "recovery", "lesions", "saliency", "vessels", "fidelity"):
        model = ["--model", "pixel"] if what == "fidelity" else []
        command = ["evaluate", what, str(tmp_path), *model]
        assert main([*command, "-o", str(tmp_path / "out")]) == 1
        assert "No known photographs" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="only POSIX has it")
def test_a_closed_terminal_pauses_a_training_unless_that_is_ignored() -> None:
    before = signal.getsignal(signal.SIGHUP)
    try:
        for handler in (signal.SIG_IGN, signal.SIG_DFL):
            signal.signal(signal.SIGHUP, handler)
            with learning._stoppable(no_progress) as progress:
                os.kill(os.getpid(), signal.SIGHUP)
                if handler is signal.SIG_IGN:
                    progress(0.5, "training")
                else:
                    with pytest.raises(Cancelled):
                        progress(0.5, "training")
            assert signal.getsignal(signal.SIGHUP) is handler
    finally:
        signal.signal(signal.SIGHUP, before)
