"""enhance, saliency and vessels, as a person types them."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from retina_viewer.cli import main
from retina_viewer.core.errors import UserError
from retina_viewer.core.names import sidecar_path
from retina_viewer.imaging import readers, writers
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.layer_art import AMBER
from retina_viewer.imaging.readers import open_image
from retina_viewer.imaging.writers import made_by
from retina_viewer.saliency.layer import saliency_layer
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


@pytest.mark.slow
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


@pytest.mark.parametrize("verb", ["saliency", "vessels"])
def test_what_is_no_retina_gets_a_word_and_an_empty_result(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    black = tmp_path / "black.png"
    Image.fromarray(np.zeros((60, 80, 3), np.uint8)).save(black)
    command = [verb, str(black), "-o", str(tmp_path / "out"), "--device", "cpu"]
    assert main(command) == 0
    said = capsys.readouterr()
    assert "black.png: No retina was found" in said.err
    assert ("0.0% of the field of view" in said.out) == (verb == "vessels")
    with Image.open(tmp_path / "out" / f"black_{verb}.png") as image:
        assert not np.asarray(image).any()
    assert main([*command, "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [warning] = [one for one in events if one["event"] == "warning"]
    assert "No retina was found" in warning["message"]


@pytest.mark.slow
def test_saliency_is_computed_at_one_size_of_the_field(samples: Path, tmp_path: Path) -> None:
    photograph, wide = samples / "chase_14L.jpg", tmp_path / "wide.png"
    with Image.open(photograph) as image:
        image.resize((1200, 1153)).save(wide)  # a field 1,103 pixels wide
    found = {}
    for out, more in (("layer", []), ("native", ["--native"])):
        folder = tmp_path / out
        assert main(["saliency", str(wide), "-o", str(folder), "--device", "cpu", *more]) == 0
        with Image.open(folder / "wide_saliency.png") as image:
            found[out] = np.asarray(image, np.float64) / 65535
        text = (folder / "wide_saliency.png.json").read_text(encoding="utf-8")
        averaged = "averaged to 1024 pixels" in json.loads(text)["method"]
        assert averaged == (out == "layer")
    expected = saliency_layer(open_image(wide))
    np.testing.assert_allclose(found["layer"], expected, atol=0.51 / 65535)
    assert np.abs(found["layer"] - found["native"]).mean() > 0.005


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


def test_a_second_run_neither_enlarges_its_own_results_nor_repeats_itself(
    eye: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(eye, tmp_path / "eye.png")
    bicubic = ["enhance", str(tmp_path), "-o", str(tmp_path), "--method", "bicubic", "--scale", "2"]
    assert main(bicubic) == 0
    assert main(["saliency", str(tmp_path), "-o", str(tmp_path), "--device", "cpu"]) == 0
    once = {path: path.stat().st_mtime_ns for path in tmp_path.glob("eye*")}
    assert len(once) == 1 + 2 + 3
    capsys.readouterr()
    assert main(bicubic) == 0
    assert "Skipped: 1 finished already, 3 made by this program." in capsys.readouterr().out
    assert main(["saliency", str(tmp_path), "-o", str(tmp_path), "--device", "cpu", "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    reasons = [event["reason"] for event in events if event["event"] == "skipped"]
    assert sorted(reasons) == ["finished already"] + 3 * ["made by this program"]
    assert events[-1] == {"event": "done", "succeeded": 0, "failed": 0, "skipped": 4}
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("eye*")} == once


def test_other_settings_and_again_are_done(eye: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.png"
    with Image.open(eye) as image:
        image.resize((62, 60), Image.Resampling.BOX).save(small)
    out = tmp_path / "out"
    command = ["enhance", str(small), "-o", str(out), "--model", "pixel-fast", "--scale", "2"]
    held = [*command, "--device", "cpu"]
    for options in ([], [], ["--no-back-projection"], ["--no-back-projection"], ["--again"]):
        assert main([*held, *options]) == 0
    held_to_the_photograph = [
        made.back_projection
        for number in ("", " (2)", " (3)")
        if (made := made_by(out / f"small_SRx2_pixel-fast{number}.png")) is not None
    ]
    assert [bool(value) for value in held_to_the_photograph] == [True, False, True]
    assert len(list(out.glob("*.png"))) == 3


def test_half_of_a_finished_pair_is_not_finished(eye: Path, tmp_path: Path) -> None:
    command = ["saliency", str(eye), "-o", str(tmp_path), "--device", "cpu"]
    assert main(command) == 0
    (tmp_path / "eye_saliency_overlay.png").unlink()
    assert main(command) == 0
    assert {path.name for path in tmp_path.glob("*.png")} == {
        "eye_saliency.png",
        "eye_saliency (2).png",
        "eye_saliency_overlay (2).png",
    }


def test_an_enlargement_is_enlarged_only_when_asked_for(
    eye: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, options = tmp_path / "out", ["--method", "bicubic", "--scale", "2"]
    assert main(["enhance", str(eye), "-o", str(tmp_path / "two.png"), *options]) == 0
    command = ["enhance", str(tmp_path / "two.png"), "-o", str(out), *options]
    assert main(command) == 1
    assert "--again" in capsys.readouterr().err
    assert list(out.iterdir()) == []
    assert main([*command, "--again"]) == 0
    assert open_image(out / "two_SRx2_bicubic.png").width == 1000


def test_right_and_left_eye_of_dicom_names_stay_two(eye: Path, tmp_path: Path) -> None:
    names = ("1.2.840.113619.2.55.1", "1.2.840.113619.2.55.2")
    for name in names:
        shutil.copy(eye, tmp_path / name)
    out = tmp_path / "out"
    inputs = [str(tmp_path / name) for name in names]
    assert main(["enhance", *inputs, "-o", str(out), "--method", "bicubic", "--scale", "2"]) == 0
    assert {path.name for path in out.glob("*.png")} == {
        f"{name}_SRx2_bicubic.png" for name in names
    }


def test_names_as_long_as_the_file_system_has_and_names_that_are_not_utf_8(
    eye: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photographs, out = tmp_path / "in", tmp_path / "out"
    photographs.mkdir()
    for name in (f"{'x' * 246}_L.png", f"{'x' * 246}_R.png", os.fsdecode(b"M\xfcller.png")):
        shutil.copy(eye, photographs / name)
    command = ["enhance", str(photographs), "-o", str(out), "--method", "bicubic", "--json"]
    assert main(command) == 0
    results = sorted(out.glob("*.png"))
    assert len(results) == len(list(out.glob("*.json"))) == 3
    for ending in (b"x_L_SRx4_bicubic.png", b"x_R_SRx4_bicubic.png", b"M\xfcller_SRx4_bicubic.png"):
        assert sum(path.name.endswith(os.fsdecode(ending)) for path in results) == 1
    assert all(made_by(path) is not None for path in results)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {Path(event["path"]) for event in events if event["event"] == "written"} == set(results)
    assert main(command) == 0
    assert len(list(out.glob("*.png"))) == 3


def test_a_name_whose_sidecar_does_not_fit_is_no_trouble(eye: Path, tmp_path: Path) -> None:
    out = tmp_path / f"{'y' * 249}.png"
    assert main(["enhance", str(eye), "-o", str(out), "--method", "bicubic"]) == 0
    assert out.is_file()
    assert sidecar_path(out).is_file()


def test_a_disk_that_is_full_at_the_sidecar_leaves_no_image(
    eye: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise UserError("The disk is full.", "Free some space.")

    monkeypatch.setattr(writers, "write_sidecar", full)
    command = ["enhance", str(eye), "-o", str(tmp_path), "--method", "bicubic"]
    assert main(command) == 1
    assert "disk is full" in capsys.readouterr().err
    assert not list(tmp_path.glob("*eye*"))
    assert not list(tmp_path.glob(".retina*"))


@pytest.mark.parametrize(
    "raised", [OSError(5, "Input/output error"), MemoryError(), RuntimeError("CUDA out of memory")]
)
def test_what_the_machine_refuses_is_no_bug(
    raised: Exception,
    eye: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise raised

    monkeypatch.setattr(export, "export_enhanced", refuse)
    assert main(["enhance", str(eye), "-o", str(tmp_path), "--method", "bicubic"]) == 1
    said = capsys.readouterr().err
    assert "bug" not in said
    assert "Traceback" not in said


_WAITS = """
import pathlib, sys, time
from retina_viewer.cli import images, main
from retina_viewer.core.files import staged
def enhance(batch, settings, console):
    with staged(batch.out, ["eye.png"]) as staging:
        staging.inside[0].write_bytes(b"half")
        console.say("writing")
        time.sleep(60)
images.enhance = enhance
sys.exit(main(["enhance", "eye.png", "-o", sys.argv[1]]))
"""


def _hearing() -> None:
    """Also where the tests themselves were started in the background, with requests ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_request_to_end_leaves_nothing_half_written(tmp_path: Path, name: str) -> None:
    number = getattr(signal, name)
    command = [sys.executable, "-c", _WAITS, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, preexec_fn=_hearing) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        assert len(list(tmp_path.iterdir())) == 1
        process.send_signal(number)
        assert process.wait(20) == 128 + number
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("streams", [">&- 2>&-", "2>&1 | true"])
@pytest.mark.slow
def test_results_are_written_though_nobody_listens(eye: Path, tmp_path: Path, streams: str) -> None:
    command = [sys.executable, "-m", "retina_viewer", "enhance", "missing.png", str(eye), str(eye)]
    line = shlex.join([*command, "-o", str(tmp_path), "--method", "bicubic", "--scale", "2"])
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {line} {streams}"], check=False)
    assert done.returncode == 1  # of the missing photograph
    with Image.open(tmp_path / "eye_SRx2_bicubic.png") as image:
        assert image.size == (500, 480)
    assert (tmp_path / "eye_SRx2_bicubic.png.json").is_file()


@pytest.mark.slow
def test_interrupting_leaves_nothing_half_written(samples: Path, tmp_path: Path) -> None:
    photograph, out = samples / "hrf_08_h.jpg", tmp_path / "out"
    command = ["enhance", str(photograph), "-o", str(out / "large.tif"), "--scale", "16", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "retina_viewer", *command, "--method", "bicubic"],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=_hearing,
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


def test_what_is_to_be_known_of_a_file_is_said_and_blocks_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    black = tmp_path / "black.png"
    Image.new("RGB", (64, 48)).save(black)
    command = ["enhance", str(black), "-o", str(tmp_path), "--method", "bicubic", "--scale", "2"]
    assert main(command) == 0
    assert f"{black}: No retina was found" in capsys.readouterr().err
    assert main([*command, "--again", "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    said = [event["message"] for event in events if event["event"] == "warning"]
    assert len(said) == 1
    assert said[0].startswith("No retina was found")


def test_another_picture_of_a_file_is_asked_for_by_number_and_named(
    eye: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def open_page(path: Path, page: int = 0) -> FundusImage:
        return replace(open_image(path), page=page, pages=3)

    monkeypatch.setattr(readers, "open_image", open_page)
    command = ["enhance", str(eye), "-o", str(tmp_path), "--method", "bicubic", "--scale", "2"]
    assert main(command) == 0
    assert main([*command, "--page", "2"]) == 0
    assert "This is picture 2 of 3 in the file." in capsys.readouterr().err
    names = {path.name for path in tmp_path.glob("*.png")}
    assert names == {"eye_SRx2_bicubic.png", "eye_p2_SRx2_bicubic.png"}
    for wrong in ("0", "two"):
        with pytest.raises(SystemExit, match="2"):
            main([*command, "--page", wrong])
        assert f"{wrong!r} is no number of a picture" in capsys.readouterr().err
