"""retina-viewer evaluate tables, as a person starts it."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from retina_viewer.cli import main
from retina_viewer.core.errors import UserError
from studies.comparison import Comparison


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the command was asked for; it measures nothing."""
    found: dict[str, Any] = {}

    def command(data: list[Path], out: Path, asked: Comparison, trainer: Any, **more: Any) -> str:
        found.update(data=data, out=out, asked=asked, trainer=trainer)
        more["progress"](0.5, "DRIVE, 01, x4, pixel")
        return "| a table |"

    monkeypatch.setattr("studies.all_tables.evaluate_tables_command", command)
    return found


@pytest.fixture
def small_set(samples: Path, tmp_path: Path) -> Path:
    """Two photographs of a set of a person's own, with vessels."""
    for folder, sample in (("images", "chase_14L.jpg"), ("vessels", "chase_14L_vessels.png")):
        (tmp_path / "ward" / folder).mkdir(parents=True)
        with Image.open(samples / sample) as picture:
            for name, left in (("1", 380), ("2", 420)):
                crop = picture.crop((left, 380, left + 96, 460))
                crop.save(tmp_path / "ward" / folder / f"{name}.png")
    return tmp_path / "ward"


def test_the_options_reach_the_comparison(
    asked: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "tables", "a", "b", "-o", str(tmp_path), "--tables", "1", "3"]
    words += ["--scales", "4", "8", "--methods", "pixel", "--sets", "DRIVE", "--limit", "2"]
    words += ["--kernels", "bicubic", "--protocols", "paper", "--no-perceptual", "--device", "cpu"]
    assert main(words) == 0
    assert asked["data"] == [Path("a"), Path("b")] and asked["out"] == tmp_path
    assert asked["asked"] == Comparison(
        (1, 3), (4, 8), ("pixel",), ("bicubic",), ("paper",), ("DRIVE",), 2, False, "cpu"
    )
    assert "| a table |" in capsys.readouterr().out
    trainer, steps = asked["trainer"](tmp_path)
    assert steps == 600 and trainer.identity.endswith("-600")
    assert main(["evaluate", "tables", "a", "--iterations", "7", "--device", "cpu"]) == 0
    assert asked["trainer"](tmp_path)[1] == 7
    assert asked["asked"] == Comparison(device="cpu")


def test_minutes_become_steps(
    asked: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studies.comparison_networks._seconds_of_a_step", lambda device: 0.5)
    assert main(["evaluate", "tables", "a", "--minutes", "2", "--device", "cpu"]) == 0
    assert asked["trainer"](tmp_path)[1] == 240
    with pytest.raises(SystemExit):
        main(["evaluate", "tables", "a", "--minutes", "2", "--iterations", "9"])


def test_a_real_set_is_measured_and_its_page_made(
    small_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, page = tmp_path / "out", tmp_path / "docs" / "page.md"
    words = ["evaluate", "tables", str(small_set), "-o", str(out), "--tables", "1"]
    words += ["--methods", "bicubic", "lanczos", "--scales", "2", "--no-perceptual"]
    words += ["--kernels", "gaussian", "--protocols", "native", "--device", "cpu"]
    assert main([*words, "--page", str(page), "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[-1] == {"event": "done", "out": str(out)}
    assert any(event["event"] == "progress" for event in events)
    first = page.read_text()
    assert "2 of ward" in first
    page.unlink()
    assert main(["evaluate", "tables", "-o", str(out), "--page", str(page)]) == 0
    assert page.read_text() == first


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "No data folder was named"),
        (["{set}", "--methods", "sharpest"], "no method 'sharpest'"),
        (["{set}", "--sets", "DRIVE"], "no set 'DRIVE'"),
        (["{set}/gone"], "does not exist"),
        (["{set}", "--tables", "2", "--methods", "bicubic"], "drawn vessels"),
        (["{set}", "-o", "{set}/images/1.png/out"], "cannot be made"),
        (["--page", "page.md", "-o", "{set}"], "holds no tables"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(
    words: list[str],
    said: str,
    small_set: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(small_set)
    given = [word.format(set=small_set) for word in words]
    assert main(["evaluate", "tables", *given]) == 1
    assert said in capsys.readouterr().err


def test_a_page_that_cannot_be_written_is_said(
    small_set: Path, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def broken(out: Path, file: Path) -> None:
        raise UserError(f"{file.name} could not be written.")

    monkeypatch.setattr("studies.all_tables.write_page", broken)
    assert main(["evaluate", "tables", str(small_set), "--page", "page.md"]) == 1
    assert "page.md could not be written" in capsys.readouterr().err
