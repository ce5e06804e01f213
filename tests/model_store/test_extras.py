"""What travels with a model: into the archive and out of it, kept, and refused when damaged."""

import json
import zipfile
from pathlib import Path

import pytest
import torch

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
