"""evaluate tables, as a person starts it."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from retina_viewer.core.progress import Progress
from studies.__main__ import main
from studies.all_tables import Tables


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Tables]:
    """What was asked for; nothing is measured."""
    found: list[Tables] = []

    def measure(study: Tables, progress: Progress) -> str:
        found.append(study)
        progress(0.5, "DRIVE, 01, x4, pixel")
        return "| a table |"

    monkeypatch.setattr(Tables, "measure", measure)
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
    asked: list[Tables], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "tables", "a", "b", "-o", str(tmp_path), "--tables", "1", "3"]
    words += ["--scales", "4", "8", "--methods", "pixel", "--sets", "DRIVE", "--limit", "2"]
    words += ["--kernels", "bicubic", "--protocols", "paper", "--no-perceptual", "--device", "cpu"]
    assert main(words) == 0
    assert asked[-1] == Tables(
        data=(Path("a"), Path("b")), out=tmp_path, tables=(1, 3), scales=(4, 8),
        methods=("pixel",), kernels=("bicubic",), protocols=("paper",), sets=("DRIVE",), limit=2,
        perceptual=False, device="cpu",
    )  # fmt: skip
    assert "| a table |" in capsys.readouterr().out
    trainer = asked[-1].trainer()
    assert trainer.iterations == 600 and trainer.identity.endswith("-600")
    assert main(["evaluate", "tables", "a", "--iterations", "7", "--device", "cpu"]) == 0
    assert asked[-1].trainer().iterations == 7
    assert asked[-1] == Tables(data=(Path("a"),), iterations=7, device="cpu")


def test_minutes_become_steps(
    asked: list[Tables], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studies.comparison_networks._seconds_of_a_step", lambda device: 0.5)
    words = ["evaluate", "tables", "a", "--minutes", "2", "--device", "cpu", "-o", str(tmp_path)]
    assert main(words) == 0
    assert asked[-1].trainer().iterations == 240
    assert main([*words, "--iterations", "9"]) == 1


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
    assert re.search(r"\| ward +\| +2 \|", first)
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
    small_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "a folder.md"
    page.mkdir()
    words = ["evaluate", "tables", str(small_set), "-o", str(tmp_path / "out"), "--tables", "1"]
    words += ["--methods", "bicubic", "--scales", "2", "--kernels", "gaussian", "--no-perceptual"]
    assert main([*words, "--protocols", "native", "--page", str(page), "--device", "cpu"]) == 1
    assert "a folder.md could not be written" in capsys.readouterr().err
