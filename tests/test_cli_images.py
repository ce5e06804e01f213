"""enhance, saliency and vessels, as a person types them."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from retina_viewer.cli import main
from retina_viewer.imaging.overlay import AMBER
from retina_viewer.imaging.readers import open_image
from retina_viewer.superres import export


@pytest.fixture(scope="module")
def eye(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small photograph with the whole field of view: 250 x 240 pixels."""
    path = tmp_path_factory.mktemp("photographs") / "eye.png"
    with Image.open(samples / "chase_14L.jpg") as image:
        image.resize((250, 240), Image.Resampling.BOX).save(path)
    return path


def test_enhance_into_a_folder_names_the_files(eye: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    assert main(["enhance", str(eye), "-o", str(out), "--method", "bicubic"]) == 0
    result = open_image(out / "eye_SRx4_bicubic.png")
    assert (result.width, result.height) == (1000, 960)
    assert (out / "eye_SRx4_bicubic.png.json").is_file()


def test_enhance_into_a_file(eye: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.tif"
    command = ["enhance", str(eye), "-o", str(out), "--method", "lanczos", "--scale", "2"]
    assert main(command) == 0
    assert open_image(out).width == 500
    assert main(command) == 1  # it exists now, and is not overwritten


def test_enhance_marks_a_network_s_result_where_it_is_asked_to(eye: Path, tmp_path: Path) -> None:
    command = ["enhance", str(eye), "-o", str(tmp_path), "--method", "linear", "--scale", "2"]
    forest = ["enhance", str(eye), "-o", str(tmp_path), "--method", "sr-forest", "--scale", "2"]
    for words in (command, forest, [*forest, "--mark"]):
        assert main(words) == 0
    amber = {
        path.name: int((open_image(path).pixels == AMBER).all(axis=2).sum())
        for path in tmp_path.glob("*.png")
    }
    assert amber.pop("eye_SRx2_sr-forest (2).png") > 100
    assert set(amber.values()) == {0}


def test_one_bad_file_among_many_is_reported_and_the_rest_done(
    eye: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, missing, other = tmp_path / "bad.png", tmp_path / "missing.png", tmp_path / "other.png"
    bad.write_bytes(b"no image")
    shutil.copy(eye, other)
    out = tmp_path / "out"
    inputs = [str(path) for path in (bad, eye, missing, other)]
    assert main(["enhance", *inputs, "-o", str(out), "--method", "bicubic", "--scale", "2"]) == 1
    assert {path.name for path in out.glob("*.png")} == {
        "eye_SRx2_bicubic.png", "other_SRx2_bicubic.png",
    }  # fmt: skip
    said = capsys.readouterr()
    assert "bad.png" in said.err
    assert "missing.png" in said.err
    assert "Traceback" not in said.err
    assert said.out.count(" -> ") == 2


def test_a_bug_on_one_photograph_costs_only_that_one(
    eye: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real, calls = export.export_enhanced, []

    def stumbles_once(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 1:
            raise ZeroDivisionError("a bug")
        return real(*arguments, **options)

    monkeypatch.setattr(export, "export_enhanced", stumbles_once)
    out = tmp_path / "out"
    command = ["enhance", str(eye), str(eye), "-o", str(out), "--method", "bicubic"]
    assert main([*command, "--scale", "2"]) == 1
    assert "Unexpected ZeroDivisionError" in capsys.readouterr().err
    assert (out / "eye_SRx2_bicubic.png").is_file()


def test_the_same_stem_from_two_folders_gives_two_results(eye: Path, tmp_path: Path) -> None:
    twin = tmp_path / "other" / "eye.png"
    twin.parent.mkdir()
    Image.fromarray(255 - np.asarray(Image.open(eye))).save(twin)
    out = tmp_path / "out"
    command = ["enhance", str(eye), str(twin), "-o", str(out), "--method", "bicubic"]
    assert main([*command, "--scale", "2"]) == 0
    first = open_image(out / "eye_SRx2_bicubic.png").pixels
    second = open_image(out / "eye_SRx2_bicubic (2).png").pixels
    assert np.abs(first.astype(int) - second).mean() > 50
    assert len(list(out.glob("*.json"))) == 2


def test_a_folder_stands_for_its_photographs(eye: Path, tmp_path: Path) -> None:
    assert main(["saliency", str(eye.parent), "-o", str(tmp_path), "--device", "cpu"]) == 0
    with Image.open(tmp_path / "eye_saliency.png") as image:
        values = np.asarray(image)
    assert values.shape == (240, 250)
    assert values.dtype == np.uint16
    assert values.max() > 30000
    overlay = open_image(tmp_path / "eye_saliency_overlay.png")
    assert (overlay.width, overlay.height) == (250, 240)
    provenance = json.loads((tmp_path / "eye_saliency.png.json").read_text(encoding="utf-8"))
    assert provenance["kind"] == "saliency"


def test_an_empty_folder_is_a_failure_with_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    command = ["saliency", str(tmp_path / "empty"), "-o", str(tmp_path), "--device", "cpu"]
    assert main(command) == 1
    assert "holds no photograph" in capsys.readouterr().err


def test_json_events_tell_the_whole_story(
    eye: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"")
    command = ["enhance", str(eye), str(bad), "-o", str(tmp_path / "out"), "--json"]
    assert main([*command, "--method", "bicubic"]) == 1
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    names = [event["event"] for event in events if event["event"] != "progress"]
    assert names == ["started", "written", "started", "failed", "done"]
    written = next(event for event in events if event["event"] == "written")
    assert Path(written["path"]).is_file()
    assert events[-1] == {"event": "done", "succeeded": 1, "failed": 1}


@pytest.mark.parametrize(
    "options",
    [["--scale", "3"], ["--nonsense"], ["--tile", "many"], ["--blur", "much"]],
)
def test_wrong_usage_exits_with_two(eye: Path, tmp_path: Path, options: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["enhance", str(eye), "-o", str(tmp_path), *options])
    assert caught.value.code == 2


def _interruptible() -> None:
    """Also where the tests themselves were started in the background, with interrupts ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_interrupting_leaves_nothing_half_written(samples: Path, tmp_path: Path) -> None:
    photograph, out = samples / "hrf_08_h.jpg", tmp_path / "out"
    command = ["enhance", str(photograph), "-o", str(out / "large.tif"), "--scale", "16", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "retina_viewer", *command, "--method", "bicubic"],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=_interruptible,
    )
    assert process.stdout is not None
    events = (json.loads(line) for line in process.stdout)
    assert any(event["event"] == "progress" and event["fraction"] > 0 for event in events)
    process.send_signal(signal.SIGINT)
    said = [json.loads(line) for line in process.communicate()[0].splitlines()]
    assert process.returncode == 130
    assert said[-1] == {"event": "interrupted"}
    assert list(out.iterdir()) == []


def test_wrong_choices_are_explained_before_any_work(
    eye: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    for options, word in (
        (["--method", "magic"], "magic"),
        (["--method", "bicubic", "--model", "pixel"], "no model"),
        (["--model", "unheard-of"], "unheard-of"),
        (["--device", "tpu"], "tpu"),
    ):
        assert main(["enhance", str(eye), "-o", str(out), *options]) == 1
        assert word in capsys.readouterr().err
    assert not out.exists()
    assert main(["enhance", str(eye), "-o", str(tmp_path / "a.bmp"), "--method", "bicubic"]) == 1
    assert "End the name in .png" in capsys.readouterr().err
    both = ["enhance", str(eye), str(eye), "-o", str(tmp_path / "one.png")]
    assert main([*both, "--method", "bicubic"]) == 1
    assert "Name a folder" in capsys.readouterr().err
