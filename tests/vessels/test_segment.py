"""Vessels on photographs that no training saw."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.evaluation.datasets import read_mask
from retina_viewer.evaluation.metrics import auc, dice
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.readers import open_image
from retina_viewer.vessels.segment import VesselMap, load_segmenter, segment_vessels


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


def test_it_can_be_cancelled(photograph: FundusImage) -> None:
    def cancel(fraction: float, what: str) -> None:
        if fraction > 0.2:
            raise Cancelled

    with pytest.raises(Cancelled):
        segment_vessels(photograph, device="cpu", progress=cancel)


def test_a_model_of_another_task_is_refused() -> None:
    with pytest.raises(UserError, match="not a vessel model"):
        load_segmenter("pixel", "cpu")
