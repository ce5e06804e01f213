"""Vessels on photographs that no training saw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.readers import open_image
from retina_viewer.imaging.writers import read_provenance
from retina_viewer.quality.datasets import read_mask
from retina_viewer.quality.metrics import auc, dice
from retina_viewer.vessels.segment import VesselMap, export_vessels, load_segmenter, segment_vessels


@pytest.fixture(scope="module")
def photograph(sample_path: Callable[[str], Path]) -> FundusImage:
    return open_image(sample_path("chase_14L.jpg"))


@pytest.fixture(scope="module")
def found(photograph: FundusImage) -> VesselMap:
    return segment_vessels(photograph, device="cpu")


def test_the_shipped_model_finds_the_vessels_of_a_held_out_child(
    photograph: FundusImage, found: VesselMap, sample_path: Callable[[str], Path]
) -> None:
    truth = read_mask(sample_path("chase_14L_vessels.png"))
    inside = read_mask(sample_path("chase_14L_fov.png"))
    assert found.probability.shape == found.mask.shape == (photograph.height, photograph.width)
    assert auc(found.probability, truth, inside) > 0.96
    assert dice(found.mask, truth, inside) > 0.70


def test_nothing_is_found_outside_the_field_of_view(
    photograph: FundusImage, found: VesselMap
) -> None:
    assert not found.mask[~photograph.field_of_view.mask].any()
    assert found.mask.any()
    np.testing.assert_array_equal(found.mask, found.probability >= found.threshold)


def test_the_size_of_the_photograph_does_not_change_the_result(
    photograph: FundusImage, found: VesselMap
) -> None:
    size = (round(photograph.width * 1.5), round(photograph.height * 1.5))
    large = cv2.resize(photograph.pixels, size, interpolation=cv2.INTER_CUBIC)
    again = segment_vessels(FundusImage.from_array(np.asarray(large, dtype=np.uint8)), device="cpu")
    back = cv2.resize(again.probability, (photograph.width, photograph.height))
    assert np.corrcoef(back.ravel(), found.probability.ravel())[0, 1] > 0.97


def test_a_photograph_too_small_for_vessels_is_refused(photograph: FundusImage) -> None:
    tiny = cv2.resize(photograph.pixels, (48, 46), interpolation=cv2.INTER_AREA)
    with pytest.raises(UserError, match="field of view is only"):
        segment_vessels(FundusImage.from_array(np.asarray(tiny, dtype=np.uint8)), device="cpu")


def disk(size: int, radius: float, noise: int = 0) -> FundusImage:
    """An even orange disk on black."""
    rows, columns = np.mgrid[:size, :size] + 0.5
    picture = np.zeros((size, size, 3), np.uint8)
    inside = np.hypot(columns - size / 2, rows - size / 2) <= radius
    picture[inside] = (190, 90, 40)
    grain = np.random.default_rng(0).integers(0, noise + 1, picture.shape).astype(np.uint8)
    return FundusImage.from_array(picture + grain * inside[..., None])


@pytest.mark.parametrize(
    "image",
    [
        FundusImage.from_array(np.zeros((93, 140, 3), np.uint8)),
        FundusImage.from_array(np.full((128, 128, 3), (120, 60, 30), np.uint8)),
        FundusImage.from_array(np.zeros((16, 900, 3), np.uint8)),
        disk(150, 60),
    ],
)
def test_there_is_no_vessel_where_nothing_is(image: FundusImage) -> None:
    found = segment_vessels(image, device="cpu")
    assert found.probability.shape == (image.height, image.width)
    assert found.share < 0.001
    assert found.mask.sum() <= 0.001 * found.mask.size


def test_the_share_is_of_the_field_of_view(photograph: FundusImage, found: VesselMap) -> None:
    inside = photograph.field_of_view.mask
    assert found.share == pytest.approx(found.mask.sum() / inside.sum())
    assert 0.08 < found.share < 0.15


def test_both_eyes_in_one_picture_are_segmented(photograph: FundusImage, found: VesselMap) -> None:
    size = (photograph.width // 2, photograph.height // 2)
    one = np.asarray(cv2.resize(photograph.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    pair = np.asarray(np.hstack([one, one[:, ::-1]]), np.uint8)
    both = FundusImage.from_array(pair)
    seen = segment_vessels(both, device="cpu").probability
    expected = cv2.resize(found.probability, size, interpolation=cv2.INTER_AREA)
    left, right = seen[:, : size[0]], seen[:, size[0] :][:, ::-1]
    assert np.corrcoef(left.ravel(), expected.ravel())[0, 1] > 0.95
    assert np.corrcoef(right.ravel(), expected.ravel())[0, 1] > 0.95


def test_a_contact_sheet_is_worked_on_in_small_pieces() -> None:
    seen: list[int] = []
    segmenter = load_segmenter(None, "cpu")
    segmenter._network = torch.nn.Conv2d(3, 1, 1)
    segmenter._network.register_forward_pre_hook(
        lambda network, inputs: seen.append(inputs[0].shape[-1] * inputs[0].shape[-2])
    )
    sheet = np.asarray(np.tile(disk(150, 46).pixels, (6, 6, 1)), np.uint8)
    segmenter.segment(FundusImage.from_array(sheet))
    assert len(seen) == 4 * 36  # four flips of each
    assert sum(seen) < 4 * 3_000_000


def test_of_several_fields_the_too_small_ones_are_left_empty() -> None:
    sheet = np.zeros((200, 350, 3), np.uint8)
    sheet[:, :200] = disk(200, 80, noise=40).pixels
    sheet[50:150, 220:320] = disk(100, 28, noise=40).pixels
    image = FundusImage.from_array(sheet)
    segmenter = load_segmenter(None, "cpu")
    segmenter._network = torch.nn.Conv2d(3, 1, 1)
    segmenter._network.weight.data.fill_(0)
    probability = segmenter.segment(image).probability
    assert len(image.field_of_view.others) == 1
    assert probability[100, 100] > 0
    assert not probability[:, 200:].any()


def test_it_can_be_cancelled(photograph: FundusImage) -> None:
    def cancel(fraction: float, what: str) -> None:
        if fraction > 0.2:
            raise Cancelled

    with pytest.raises(Cancelled):
        segment_vessels(photograph, device="cpu", progress=cancel)


def test_a_model_of_another_task_is_refused() -> None:
    with pytest.raises(UserError, match="not a vessel model"):
        load_segmenter("pixel", "cpu")


def test_mask_and_probability_are_eight_bit_grey_of_the_photographs_size(
    samples: Path, tmp_path: Path
) -> None:
    with Image.open(samples / "chase_14L_vessels.png") as label:
        truth = np.asarray(label.convert("L").resize((250, 240), Image.Resampling.BOX))
    probability = truth.astype(np.float32) / np.float32(255)
    found = VesselMap(probability, probability >= 0.4, 0.1, 0.4, "veins", "ef" * 32, "cpu")
    image = FundusImage.from_array(np.dstack([truth] * 3), "eye.png")
    mask_path, probability_path = tmp_path / "mask.png", tmp_path / "probability.png"
    provenance = export_vessels(image, found, mask_path, probability_path)

    with Image.open(mask_path) as written:
        assert (written.mode, written.size) == ("L", (250, 240))
        np.testing.assert_array_equal(np.asarray(written) == 255, found.mask)
        assert set(np.unique(np.asarray(written))) == {0, 255}
    with Image.open(probability_path) as written:
        assert written.mode == "L"
        np.testing.assert_array_equal(np.asarray(written), truth)

    assert read_provenance(mask_path) == read_provenance(probability_path) == provenance
    assert (provenance.model, provenance.model_sha256) == ("veins", "ef" * 32)
    assert "threshold 0.4" in provenance.method
    assert "neural network" in provenance.statement
    assert (tmp_path / "mask.png.json").is_file()
