"""The verbs that need a network, with tiny untrained ones of the person's own."""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pytestqt.qtbot import QtBot
from torch import nn

from retina_viewer.cli import main, window_verbs
from retina_viewer.core.paths import user_models_dir
from retina_viewer.imaging.readers import open_image
from retina_viewer.imaging.writers import read_provenance
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.defaults import set_default
from retina_viewer.model_store.store import DEFAULT_MODELS, save_card, save_weights
from retina_viewer.networks.architectures import build
from retina_viewer.networks.generator import ResidualGenerator
from retina_viewer.networks.generator_cascade import GeneratorCascade
from retina_viewer.superres.cascade import estimate_degradation
from tests.superres.tiny_models import add_gan_and_twin
from tests.untrained import NOTHING

CASCADE: dict[str, Any] = {"steps": [{"maps": 4, "blocks": 1}, {"maps": 4, "blocks": 1}]}
UNET: dict[str, Any] = {"widths": [4, 8]}


def add_model(name: str, architecture: str, parameters: dict[str, Any]) -> ModelCard:
    """An untrained model among the person's own. Its cascade equals bicubic interpolation."""
    torch.manual_seed(1)
    network = build(architecture, parameters)
    folder = user_models_dir() / name
    folder.mkdir(parents=True)
    superres = isinstance(network, GeneratorCascade)
    card = ModelCard(
        name=name,
        version="1",
        title="Untrained",
        task="superres" if superres else "vessels",
        architecture=architecture,
        parameters=parameters,
        scales=(2, 4) if superres else (),
        margins=_margins(network),
        field_diameter=None if superres else 128,
        threshold=None if superres else 0.5,
        weights_sha256=save_weights(network.state_dict(), folder),
        licence="CC0-1.0",
        training=NOTHING,
        created=date(2026, 1, 2),
    )
    save_card(card, folder)
    return card


def _margins(network: nn.Module) -> tuple[int, ...]:
    if not isinstance(network, GeneratorCascade):
        return ()
    return tuple(step.margin for step in network.steps if isinstance(step, ResidualGenerator))


@pytest.fixture
def eye(samples: Path, tmp_path: Path) -> Path:
    path = tmp_path / "eye.png"
    with Image.open(samples / "chase_14L.jpg") as image:
        image.resize((250, 240), Image.Resampling.BOX).save(path)
    return path


def test_enhance_with_a_model_names_it_in_the_file_and_inside(eye: Path, tmp_path: Path) -> None:
    card = add_model("mine", "residual-cascade", CASCADE)
    out = tmp_path / "out"
    command = ["enhance", str(eye), "-o", str(out), "--model", "mine", "--device", "cpu"]
    assert main([*command, "--tile", "100"]) == 0
    result = out / "eye_SRx4_mine.png"
    provenance = read_provenance(result)
    assert provenance is not None
    assert (provenance.method, provenance.model) == ("pixel", "mine")
    assert provenance.model_sha256 == card.weights_sha256
    assert "AI-enhanced" in provenance.statement
    assert provenance.device.endswith("(CPU)")
    assert open_image(result).width == 1000


def test_enhance_with_a_saliency_gan_says_how_it_was_set(eye: Path, tmp_path: Path) -> None:
    """The file's name and the AI mark hold for fidelity 1 too."""
    add_gan_and_twin()
    out = tmp_path / "out"
    command = ["enhance", str(eye), "-o", str(out), "--device", "cpu", "--scale", "2"]
    assert main([*command, "--model", "gan"]) == 0
    assert main([*command, "--model", "gan", "--fidelity", "1", "--blur", "0.3"]) == 0
    assert main([*command, "--model", "gan", "--method", "pixel", "--no-back-projection"]) == 0
    found = [read_provenance(out / f"eye_SRx2_{name}.png") for name in ("gan", "gan (2)", "twin")]
    default, bound, pixel = [one for one in found if one is not None]
    assert (default.method, default.model, default.fidelity) == ("saliency-gan", "gan", 0.25)
    assert (bound.method, bound.model, bound.fidelity) == ("saliency-gan", "gan", 1.0)
    assert (pixel.method, pixel.model, pixel.fidelity) == ("pixel", "twin", None)
    assert (default.back_projection, pixel.back_projection) == (1.0, None)
    estimated = estimate_degradation(open_image(eye).unit_rgb())
    assert default.blur == pytest.approx(estimated.blur, abs=1e-3)
    assert default.noise == bound.noise == pytest.approx(estimated.noise, abs=0.01)
    assert bound.blur == 0.3
    assert all("AI-enhanced" in one.statement for one in (default, bound, pixel))
    sidecar = json.loads((out / "eye_SRx2_gan.png.json").read_text(encoding="utf-8"))
    assert {"blur", "noise", "fidelity", "back_projection"} <= sidecar.keys()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--fidelity", "2", "--model", "gan"], "fidelity of 2"),
        (["--fidelity", "0.5", "--model", "twin"], "fidelity"),
        (["--method", "saliency-gan", "--model", "twin"], "not for the method"),
        (["--blur", "9", "--model", "gan"], "blur of 9"),
    ],
)
def test_settings_that_do_not_fit_are_explained_before_any_work(
    eye: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], word: str
) -> None:
    add_gan_and_twin()
    out = tmp_path / "out"
    assert main(["enhance", str(eye), "-o", str(out), "--device", "cpu", *options]) == 1
    assert word in capsys.readouterr().err
    assert not out.exists()


def test_a_scale_that_the_model_lacks_is_refused(
    eye: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_model("mine", "residual-cascade", CASCADE)
    command = ["enhance", str(eye), "-o", str(tmp_path / "out"), "--model", "mine"]
    assert main([*command, "--scale", "8"]) == 1
    assert "It offers x2, x4." in capsys.readouterr().err


def test_vessels_are_two_files_of_the_photographs_size(eye: Path, tmp_path: Path) -> None:
    card = add_model("veins", "unet", UNET)
    out = tmp_path / "out"
    command = ["vessels", str(eye), "-o", str(out), "--model", "veins", "--device", "cpu"]
    assert main(command) == 0
    with Image.open(out / "eye_vessels.png") as image:
        assert (image.size, image.mode) == ((250, 240), "L")
        mask = np.asarray(image)
    with Image.open(out / "eye_vessel_probability.png") as image:
        assert (image.size, image.mode) == ((250, 240), "L")
        probability = np.asarray(image)
    assert set(np.unique(mask)) <= {0, 255}
    assert probability[mask == 255].min(initial=255) >= 127
    assert probability.max() > 0
    provenance = json.loads((out / "eye_vessels.png.json").read_text(encoding="utf-8"))
    assert (provenance["kind"], provenance["model"]) == ("vessels", "veins")
    assert provenance["model_sha256"] == card.weights_sha256


def check_demo(out: Path, model: str) -> None:
    """What a demo without a display has written."""
    assert {path.name for path in out.iterdir()} == {
        f"chase_14L_SRx4_{model}.png",
        f"chase_14L_SRx4_{model}.png.json",
        "chase_14L_saliency.png",
        "chase_14L_saliency.png.json",
        "chase_14L_saliency_overlay.png",
        "chase_14L_vessels.png",
        "chase_14L_vessels.png.json",
        "chase_14L_vessel_probability.png",
        "window.png",
    }
    picture = open_image(out / "window.png")
    assert picture.width >= 1200
    assert len(np.unique(picture.pixels.reshape(-1, 3), axis=0)) > 5000  # a photograph is in it


@pytest.mark.slow
def test_the_demo_without_a_display_writes_everything(
    eye: Path,
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    add_gan_and_twin()
    add_model("veins", "unet", UNET)
    set_default("gan")
    set_default("veins")
    monkeypatch.setattr(window_verbs, "DEMO_SAMPLE", eye.rename(tmp_path / "chase_14L.png"))
    assert main(["demo", "--out", str(tmp_path / "demo")]) == 0
    check_demo(tmp_path / "demo", "gan")
    assert str(tmp_path / "demo") in capsys.readouterr().out


@pytest.mark.verify
def test_the_demo_works_with_the_shipped_models_in_a_process_of_its_own(tmp_path: Path) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-m", "retina_viewer", "demo", "--out", str(tmp_path / "demo")]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    check_demo(tmp_path / "demo", DEFAULT_MODELS["superres"])
    assert str(tmp_path / "demo") in result.stdout
