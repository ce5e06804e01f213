"""uncertainty, as a person types it, with a tiny untrained model of the person's own."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retina_viewer.cli import main
from retina_viewer.imaging.writers import read_provenance
from retina_viewer.superres.uncertainty import inner_field
from retina_viewer.superres.uncertainty_calibration import (
    Calibration,
    ScaleCalibration,
    save_calibration,
)
from tests.untrained import add_cascade

CURVE = ScaleCalibration(
    weights={"disagreement": 0.5, "difference": 0.2},
    scores=(-3.0, 0.0, 2.0),
    errors=(0.5, 2.0, 9.0),
)


def add_calibrated(name: str, seed: int = 1, twin: str | None = None) -> None:
    """Calibrated for x2 alone."""
    card = add_cascade(
        name, seed=seed, strength=0.3, twin=twin, fidelity=None if twin is None else 0.3
    )
    save_calibration(
        Calibration(model=name, weights_sha256=card.weights_sha256, scales={2: CURVE}), card
    )


@pytest.fixture
def eye(samples: Path, tmp_path: Path) -> Path:
    path = tmp_path / "Auge é.png"
    with Image.open(samples / "chase_14L.jpg") as image:
        image.resize((100, 96), Image.Resampling.BOX).save(path)
    return path


def test_a_map_an_overlay_and_the_numbers(eye: Path, tmp_path: Path) -> None:
    add_calibrated("mine")
    out = tmp_path / "new" / "out"
    command = ["uncertainty", str(eye), "-o", str(out), "--model", "mine", "--scale", "2"]
    assert main([*command, "--device", "cpu"]) == 0
    stem = "Auge é_consistency_x2_mine"
    assert {path.name for path in out.iterdir()} == {
        f"{stem}.png", f"{stem}.png.json", f"{stem}_overlay.png",
    }  # fmt: skip
    with Image.open(out / f"{stem}.png") as image:
        assert image.size == (100, 96)
        levels = np.asarray(image).astype(np.float64) / 256
    numbers = json.loads((out / f"{stem}.png.json").read_text(encoding="utf-8"))
    assert (numbers["model"], numbers["method"], numbers["scale"]) == ("mine", "pixel", 2)
    assert numbers["blur"] > 0
    inside = levels[inner_field(levels > 0)]
    assert numbers["mean_expected_error"] == pytest.approx(inside.mean(), abs=0.02)
    assert numbers["guessed_share"] == pytest.approx(np.mean(inside > 2), abs=0.02)
    provenance = read_provenance(out / f"{stem}_overlay.png")
    assert provenance is not None
    assert provenance.kind == "consistency"

    assert main([*command, "--device", "cpu"]) == 0  # finished already
    assert not (out / f"{stem} (2).png").exists()
    assert main([*command, "--device", "cpu", "--again"]) == 0  # numbered, nothing overwritten
    assert (out / f"{stem} (2).png").is_file()
    assert (out / f"{stem}_overlay (2).png").is_file()


def test_the_verb_s_old_name_is_understood_and_not_offered(
    eye: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_calibrated("mine")
    command = ["consistency", str(eye), "-o", str(tmp_path / "out"), "--model", "mine"]
    assert main([*command, "--scale", "2"]) == 0
    capsys.readouterr()
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    said = capsys.readouterr().out
    assert "uncertainty" in said
    assert "consistency" not in said


def test_one_bad_file_among_many_is_reported_and_the_rest_done(
    eye: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_calibrated("mine")
    good, bad = tmp_path / "photographs" / "good.png", tmp_path / "bad.png"
    good.parent.mkdir()
    shutil.copy(eye, good)
    bad.write_bytes(b"no image")
    out = tmp_path / "out"
    inputs = [str(bad), str(good.parent)]
    command = ["uncertainty", *inputs, "-o", str(out), "--model", "mine", "--scale", "2"]
    assert main([*command, "--json"]) == 1
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {event["event"] for event in events} >= {"progress", "written", "failed", "done"}
    assert events[-1] == {"event": "done", "succeeded": 1, "failed": 1}
    fractions = [event["fraction"] for event in events if event["event"] == "progress"]
    assert fractions == sorted(fractions)
    assert (out / "good_consistency_x2_mine.png").is_file()


def test_a_saliency_gan_is_compared_with_its_twin(eye: Path, tmp_path: Path) -> None:
    add_cascade("twin", seed=1, strength=0.3)
    add_calibrated("gan", seed=2, twin="twin")
    means = {}
    for fidelity in ("0", "1"):
        out = tmp_path / fidelity
        command = ["uncertainty", str(eye), "-o", str(out), "--model", "gan", "--scale", "2"]
        assert main([*command, "--method", "saliency-gan", "--fidelity", fidelity]) == 0
        sidecar = out / "Auge é_consistency_x2_gan.png.json"
        numbers = json.loads(sidecar.read_text(encoding="utf-8"))
        assert numbers["fidelity"] == float(fidelity)
        means[fidelity] = numbers["mean_expected_error"]
    assert means["0"] > means["1"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--method", "bicubic"], "adds no detail"),
        (["--model", "mine", "--scale", "4"], "not calibrated for x4"),
        (["--model", "uncalibrated"], "has not been calibrated"),
        (["--model", "mine", "--scale", "2", "--fidelity", "0.5"], "fidelity"),
    ],
)
def test_what_cannot_be_mapped_is_said_before_any_work(
    eye: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    add_calibrated("mine")
    add_cascade("uncalibrated")
    out = tmp_path / "out"
    assert main(["uncertainty", str(eye), "-o", str(out), *options]) == 1
    message = capsys.readouterr().err
    assert said in message
    assert "Traceback" not in message
    assert not out.exists()
