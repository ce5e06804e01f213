"""The map of a tuned model, fitted where no weights were trained."""

from pathlib import Path

import numpy as np
import pytest
import torch

from retina_viewer.core.errors import Cancelled
from retina_viewer.finetuning.plan import PlannedPhotograph
from retina_viewer.finetuning.tuning_data import own
from retina_viewer.imaging.field_of_view import FieldOfView
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.readers import open_image
from retina_viewer.model_store.card import ModelCard
from retina_viewer.quality.calibration import FEWEST, calibrate
from retina_viewer.quality.candidates import Candidate
from retina_viewer.quality.datasets import Photograph
from retina_viewer.superres.uncertainty import uncertainty_map
from retina_viewer.superres.uncertainty_calibration import read_calibration
from tests.finetuning.tiny_clinic import clinic, tiny_cascade

CPU = torch.device("cpu")


@pytest.fixture
def photographs(tmp_path: Path) -> list[Photograph]:
    return own(
        [
            PlannedPhotograph(
                path=path, sha256=open_image(path).sha256, group="g", subset="validation"
            )
            for path in clinic(tmp_path / "clinic")
        ]
    )


@pytest.fixture
def pair() -> tuple[ModelCard, ModelCard]:
    """A saliency GAN and its twin, both in folders, neither with a calibration."""
    twin = tiny_cascade("twin")
    return tiny_cascade("tiny", twin="twin", seed=1), twin


@pytest.mark.slow
def test_a_tuned_gan_gets_a_map_of_its_own_that_can_be_drawn(
    pair: tuple[ModelCard, ModelCard], photographs: list[Photograph], tmp_path: Path
) -> None:
    card, twin = pair
    kept = tmp_path / "kept"
    assert calibrate(card, twin, photographs[:FEWEST], kept, CPU)
    calibration = read_calibration(card)
    assert sorted(calibration.scales) == [2, 4]
    text = calibration.model_dump_json()
    assert "patient" not in text and "clinic" not in text
    enhancer = Candidate(card, CPU, twin).enhancer(2)
    image = FundusImage.from_array(photographs[0].read_rgb()[100:164, 100:164].copy())
    image.__dict__["field_of_view"] = FieldOfView(np.ones((64, 64), np.bool_), 32.0, 32.0, 64.0)
    rgb = image.unit_rgb()
    found = uncertainty_map(
        image,
        enhancer.fitted_to(rgb),
        other=Candidate(card, CPU, twin).enhancer(2, 1.0).fitted_to(rgb),
        calibration=calibration,
    )
    assert 0 < found.mean < 100
    assert found.expected_error.std() > 0

    def cancel(fraction: float, what: str) -> None:
        raise Cancelled

    before = card.weights_file.with_name("consistency.json").read_bytes()
    with pytest.raises(Cancelled):
        calibrate(card, twin, photographs[1:], kept / "anew", CPU, cancel)
    assert card.weights_file.with_name("consistency.json").read_bytes() == before


def test_too_few_photographs_make_no_map(
    pair: tuple[ModelCard, ModelCard], photographs: list[Photograph], tmp_path: Path
) -> None:
    card, twin = pair
    assert not calibrate(card, twin, photographs[: FEWEST - 1], tmp_path / "kept", CPU)
    assert not card.weights_file.with_name("consistency.json").exists()
