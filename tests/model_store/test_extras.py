"""What travels with a model: into the archive and out of it, kept, and refused when damaged."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import user_models_dir
from retina_viewer.model_store.archive import export_model, import_model
from retina_viewer.model_store.card import ModelCard, read_card
from retina_viewer.model_store.extras import (
    CALIBRATION_FILE,
    DISCRIMINATOR_FILE,
    check_extras,
    read_discriminators,
    save_discriminators,
)
from retina_viewer.model_store.own_models import accept
from retina_viewer.networks.discriminator import Discriminator
from retina_viewer.superres.uncertainty_calibration import (
    Calibration,
    ScaleCalibration,
    read_calibration,
    save_calibration,
)
from tests.model_store.models import make_run, own, own_pair
from tests.model_store.test_archive import pack


def calibrate(card: ModelCard) -> Calibration:
    curve = ScaleCalibration(weights={"back": 0.7}, scores=(-1.0, 2.0), errors=(0.5, 4.0))
    calibration = Calibration(
        model=card.name, weights_sha256=card.weights_sha256, scales={2: curve}
    )
    save_calibration(calibration, card)
    return calibration


def test_calibration_and_discriminators_of_a_gan_travel_with_it_and_its_twin(
    tmp_path: Path,
) -> None:
    gan, twin = own_pair()
    kept = [calibrate(gan), calibrate(twin)]
    save_discriminators({1: {"a": torch.full((3,), 0.25)}}, gan)
    exported = export_model("gan", tmp_path)
    with zipfile.ZipFile(exported) as archive:
        listed = json.loads(archive.read("manifest.json"))["files"]
    assert {CALIBRATION_FILE, DISCRIMINATOR_FILE, f"twin/{CALIBRATION_FILE}"} <= listed.keys()
    back = import_model(exported)
    assert back.name == "gan-v2"
    assert back.twin is not None
    assert read_calibration(back) == kept[0]
    assert read_calibration(read_card(user_models_dir() / back.twin)) == kept[1]
    assert read_discriminators(back)[1]["a"].tolist() == [0.25] * 3


def test_what_a_training_left_beside_its_model_is_kept_with_it(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    calibrate(read_card(run / "model"))
    save_discriminators({2: {"a": torch.ones(1)}}, read_card(run / "model"))
    card = accept(run, "clinic", "Clinic A")
    assert read_calibration(card).weights_sha256 == card.weights_sha256
    assert list(read_discriminators(card)) == [2]


def test_a_calibration_for_weights_of_before_stays_behind(tmp_path: Path) -> None:
    card = own("clinic")
    other = own("other", seed=9)
    calibrate(other)
    (user_models_dir() / "other" / CALIBRATION_FILE).rename(
        user_models_dir() / "clinic" / CALIBRATION_FILE
    )
    with pytest.raises(UserError, match="about other weights"):
        check_extras(card)
    back = import_model(export_model("clinic", tmp_path))
    with pytest.raises(UserError, match="has not been calibrated"):
        read_calibration(back)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"[]", "not valid"),
        (b"{", "not valid"),
        (b'{"scales": {}, "weights_sha256": "0"}', "about other weights"),
        (b'{"scales": {"2": 1e999}}', "not valid"),
        (b'{"scales": {"2": NaN}}', "not valid"),
        (b"[" * 100_000, "not valid"),
    ],
)
def test_a_damaged_calibration_is_refused(content: bytes, why: str) -> None:
    card = own("clinic")
    (user_models_dir() / "clinic" / CALIBRATION_FILE).write_bytes(content)
    with pytest.raises(UserError, match=why):
        check_extras(card)


def test_an_archive_whose_discriminators_are_none_is_refused_whole(tmp_path: Path) -> None:
    card = own("clinic")
    save_discriminators({1: {"a": torch.ones(1)}}, card)
    exported = export_model("clinic", tmp_path / "a.rvmodel")
    with zipfile.ZipFile(exported) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents[DISCRIMINATOR_FILE] = contents[DISCRIMINATOR_FILE].replace(b"step1", b"stepx")
    pack(contents, tmp_path / "b.rvmodel")  # with a table of contents that fits it
    before = sorted(user_models_dir().iterdir())
    with pytest.raises(UserError, match=r"discriminators of the model .* cannot be read"):
        import_model(tmp_path / "b.rvmodel")
    assert sorted(user_models_dir().iterdir()) == before


@pytest.fixture
def card() -> ModelCard:
    return own("gan")


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.slow
def test_they_come_back_and_judge_alike(card: ModelCard, batch_norm: bool) -> None:
    torch.manual_seed(5)
    network = Discriminator(narrow=16, batch_norm=batch_norm).eval()
    assert save_discriminators({2: network.state_dict()}, card)
    found = read_discriminators(card)
    assert list(found) == [2]
    assert {value.dtype for value in found[2].values()} <= {torch.float16, torch.int64}
    other = Discriminator(narrow=16, batch_norm=batch_norm).eval()
    other.load_state_dict(found[2])
    image = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(other(image), network(image), rtol=2e-2, atol=2e-3)


def test_a_number_beyond_half_precision_stays_itself(card: ModelCard) -> None:
    save_discriminators({1: {"large": torch.tensor([1e6]), "small": torch.tensor([1.5])}}, card)
    found = read_discriminators(card)[1]
    assert found["large"].item() == 1e6
    assert found["small"].dtype == torch.float16


def test_a_model_may_have_none(card: ModelCard) -> None:
    assert read_discriminators(card) == {}


def test_what_is_too_large_is_not_written(card: ModelCard) -> None:
    assert not save_discriminators({1: {"weight": torch.zeros(11 * 10**6)}}, card)
    assert not card.weights_file.with_name(DISCRIMINATOR_FILE).exists()


def test_those_of_other_weights_are_refused(card: ModelCard) -> None:
    save_discriminators({1: {"a": torch.ones(2)}}, card)
    other = card.model_copy(update={"weights_sha256": "0" * 64})
    with pytest.raises(UserError, match="belong to other weights"):
        read_discriminators(other)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("step1/a", float("nan"), "not all numbers"),
        ("step1", 1.0, "cannot be read"),
        ("stepx/a", 1.0, "cannot be read"),
        ("a/step1", 1.0, "cannot be read"),
    ],
)
def test_damaged_ones_are_refused(card: ModelCard, name: str, value: float, why: str) -> None:
    path = card.weights_file.with_name(DISCRIMINATOR_FILE)
    save_file({name: torch.tensor([value])}, path, {"weights_sha256": card.weights_sha256})
    with pytest.raises(UserError, match=why):
        read_discriminators(card)
    path.write_bytes(b"a pickle, or something else")
    with pytest.raises(UserError, match="cannot be read"):
        read_discriminators(card)


def test_nothing_but_tensors_is_in_the_file(card: ModelCard) -> None:
    save_discriminators({3: {"a": torch.ones(2)}}, card)
    assert list(load_file(card.weights_file.with_name(DISCRIMINATOR_FILE))) == ["step3/a"]
