"""python -m studies, as a person starts it."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from retina_viewer.cli.main import main as product
from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import resources_dir, shipped_models_dir
from studies import NAMES
from studies.__main__ import main, sentence_of
from studies.all_tables import Tables
from studies.lesions import LesionContrast
from studies.superres import Superres
from studies.train import find_recipe
from tests.cli.test_networks import CASCADE, add_model

ROOT = Path(__file__).parents[2]


def test_help_tells_all_studies_in_one_sentence_each_and_imports_none(tmp_path: Path) -> None:
    code = (
        "import sys; from studies.__main__ import main; assert main(['--help']) == 0; "
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in NAMES:
        assert f"  {name:<22} {sentence_of(name)}\n" in done.stdout
        assert sentence_of(name).endswith((".", ":"))


@pytest.mark.parametrize("name", NAMES)
def test_every_study_says_its_options(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*name.split(), "--help"])
    assert caught.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"usage: python -m studies {name}" in said
    assert sentence_of(name) in said


def test_what_there_is_not_is_said_with_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["magic"], ["evaluate", "magic"], ["evaluate"]):
        assert main(words) == 2
        said = capsys.readouterr().err
        assert "evaluate sr" in said
        assert (f"no study {shlex.join(words)!r}" in said) == (words != ["evaluate"])
    assert main([]) == 0


HERE = Path("data")


@pytest.mark.parametrize(
    "study",
    [
        Superres(HERE, scales=(2, 4), limit=3, reference="pixel", back_projection=False),
        LesionContrast(HERE, methods=("pixel", "srgan"), fidelity=0.25, model="mine"),
        Tables(data=(HERE,), tables=(2, 3), sets=("DRIVE",), perceptual=False, iterations=120),
    ],
)
def test_the_recorded_command_makes_the_same_study(study: Any, monkeypatch: Any) -> None:
    made: list[Any] = []

    def run(self: Any, console: object) -> str:
        made.append(self)
        return ""

    monkeypatch.setattr(type(study), "run", run)
    command = study.command()
    assert command.endswith("-o DIR")
    assert str(HERE) not in command.replace("DATA", "")
    words = command.replace("DATA", str(HERE)).replace("DIR", str(study.out))
    assert main(shlex.split(words)[3:]) == 0
    assert made == [study]


def test_the_commands_in_shipped_cards_are_those_of_studies(monkeypatch: Any) -> None:
    cards = [json.loads(path.read_text()) for path in shipped_models_dir().glob("*/card.json")]
    commands = {one["command"] for card in cards for one in card["measurements"]}
    assert len(commands) > 10
    monkeypatch.setattr("studies.study.Study.run", lambda self, console: "")
    for command in commands:
        words = shlex.split(command)
        assert words[:3] == ["python", "-m", "studies"]
        assert main(words[3:]) == 0, command


def test_where_it_ran_is_not_in_the_command() -> None:
    assert "cuda" not in Superres(HERE, device="cuda").command()
    assert "page" not in Tables(page=Path("page.md"), minutes=2.0).command()


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
    assert "--no-back-projection" in command_line and "--reference lanczos" in command_line
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


def test_what_a_report_measured_is_kept_in_the_card(
    samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_model("mine", "residual-cascade", CASCADE)
    images = tmp_path / "CHASE_DB1" / "images"
    images.mkdir(parents=True)
    with Image.open(samples / "chase_14L.jpg") as image:
        image.resize((250, 240), Image.Resampling.BOX).save(images / "Image_14L.jpg", quality=95)
    evaluate = ["evaluate", "sr", str(tmp_path), "--scales", "2", "--methods", "bicubic", "pixel"]
    assert main([*evaluate, "--model", "mine", "-o", str(tmp_path)]) == 0
    assert main(["record", "mine", str(tmp_path / "superres.json")]) == 0
    capsys.readouterr()
    assert product(["models", "show", "mine"]) == 0
    card = json.loads(capsys.readouterr().out)
    metrics = {figure["metric"] for figure in card["measurements"]}
    assert {"psnr", "ssim"} <= metrics
    assert main(["record", "mine", str(tmp_path / "gone.json")]) == 1
