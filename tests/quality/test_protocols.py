from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retina_viewer.imaging.field_of_view import find_field_of_view
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.metrics import evaluation_mask
from retina_viewer.quality.protocols import (
    Condition,
    EvaluationPairs,
    Truth,
    field_of_view_mask,
    prepare,
    small_image,
)
from studies.data_folders import find_photographs


@pytest.fixture(scope="module")
def chase(samples: Path) -> Photograph:
    return Photograph(
        "CHASE_DB1", "14L", "14", samples / "chase_14L.jpg", fov=samples / "chase_14L_fov.png"
    )


def test_native_is_the_photograph_as_stored(chase: Photograph) -> None:
    truth = prepare(chase, "native")
    np.testing.assert_array_equal(truth.rgb8, chase.read_rgb())
    assert truth.mask.shape == (960, 999)
    assert 0.5 < truth.mask.mean() < 0.85


def test_paper_crops_the_dark_border_and_resizes(chase: Photograph) -> None:
    truth = prepare(chase, "paper")
    assert truth.rgb8.shape == (1024, 1024, 3)
    # A disk in its bounding box covers pi / 4 of it.
    assert truth.mask.mean() == pytest.approx(np.pi / 4, abs=0.02)
    for edge in (truth.mask[0], truth.mask[-1], truth.mask[:, 0], truth.mask[:, -1]):
        assert edge.any()
    assert truth.rgb8[~truth.mask].mean() < 0.3 * truth.rgb8[truth.mask].mean()


def test_without_a_mask_the_field_of_view_is_found(samples: Path) -> None:
    photograph = Photograph("FIVES", "28_A", "28_A", samples / "fives_28_A.png")
    rgb8 = photograph.read_rgb()
    np.testing.assert_array_equal(
        field_of_view_mask(photograph, rgb8), find_field_of_view(rgb8).mask
    )


def test_a_mask_of_another_photograph_is_refused(samples: Path) -> None:
    photograph = Photograph(
        "FIVES", "28_A", "28_A", samples / "fives_28_A.png", fov=samples / "chase_14L_fov.png"
    )
    with pytest.raises(ValueError, match="size"):
        prepare(photograph, "native")


@pytest.mark.parametrize("scale", [2, 4, 8, 16])
def test_the_small_image_belongs_to_the_cropped_truth(data: Path, scale: int) -> None:
    photograph = find_photographs(data / "CHASE_DB1")[0]
    truth = prepare(photograph, "native")
    odd = Truth(truth.rgb8[:-3, :-1], truth.mask[:-3, :-1]).cropped(scale)
    assert odd.rgb8.shape[:2] == odd.mask.shape
    small = small_image(odd, Condition("native", "gaussian", scale))
    assert small.dtype == np.uint8
    assert (small.shape[0] * scale, small.shape[1] * scale) == odd.mask.shape
    # Neither blur nor sampling changes the mean colour by more than the border weighs.
    assert small.mean() == pytest.approx(odd.rgb8.mean(), abs=2.0)


def test_a_condition_names_itself() -> None:
    assert str(Condition("paper", "bicubic", 8)) == "paper, bicubic, x8"


def test_image_files_keep_their_modes(data: Path) -> None:
    with Image.open(data / "CHASE_DB1/2ndHO/Image_01L_2ndHO.png") as image:
        assert image.mode == "1"  # so that reading 1-bit labels is really tested


def test_a_scene_is_what_the_protocol_makes(data: Path) -> None:
    photograph = find_photographs(data / "CHASE_DB1")[0]
    condition = Condition("native", "bicubic", 4)
    scene = EvaluationPairs(photograph).scene(condition)
    truth = prepare(photograph, "native").cropped(4)
    np.testing.assert_array_equal(scene.truth.rgb8, truth.rgb8)
    np.testing.assert_array_equal(scene.small, small_image(truth, condition))
    np.testing.assert_array_equal(scene.mask, evaluation_mask(truth.mask, 4))


def test_conditions_of_one_size_share_their_truth(data: Path) -> None:
    scenes = EvaluationPairs(
        find_photographs(data / "CHASE_DB1")[0]
    )  # 192 x 160: whole at every scale
    first, other = (scenes.scene(Condition("native", "gaussian", scale)) for scale in (2, 8))
    assert first.truth.rgb8 is other.truth.rgb8
    assert first.small.shape == (80, 96, 3) and other.small.shape == (20, 24, 3)
    assert first.mask.sum() > other.mask.sum()
    paper = scenes.scene(Condition("paper", "gaussian", 8))
    assert paper.truth.rgb8.shape == (1024, 1024, 3)
    assert scenes.scene(Condition("paper", "gaussian", 8)) is paper


def test_the_field_of_view_is_shrunk_to_the_diameter(data: Path) -> None:
    scenes = EvaluationPairs(find_photographs(data / "CHASE_DB1")[0], diameter=96)
    scene = scenes.scene(Condition("native", "gaussian", 2))
    assert scene.truth.rgb8.shape == (80, 96, 3)
