"""What methods are given, and what is shared between conditions."""

from pathlib import Path

import numpy as np

from retina_viewer.quality.metrics import evaluation_mask
from retina_viewer.quality.protocols import Condition, prepare, small_image
from retina_viewer.quality.scenes import Scenes
from studies.data_folders import find_photographs


def test_a_scene_is_what_the_protocol_makes(data: Path) -> None:
    photograph = find_photographs(data / "CHASE_DB1")[0]
    condition = Condition("native", "bicubic", 4)
    scene = Scenes(photograph).scene(condition)
    truth = prepare(photograph, "native").cropped(4)
    np.testing.assert_array_equal(scene.truth.rgb8, truth.rgb8)
    np.testing.assert_array_equal(scene.small, small_image(truth, condition))
    np.testing.assert_array_equal(scene.mask, evaluation_mask(truth.mask, 4))


def test_conditions_of_one_size_share_their_truth(data: Path) -> None:
    scenes = Scenes(find_photographs(data / "CHASE_DB1")[0])  # 192 x 160: whole at every scale
    first, other = (scenes.scene(Condition("native", "gaussian", scale)) for scale in (2, 8))
    assert first.truth.rgb8 is other.truth.rgb8
    assert first.small.shape == (80, 96, 3) and other.small.shape == (20, 24, 3)
    assert first.mask.sum() > other.mask.sum()
    paper = scenes.scene(Condition("paper", "gaussian", 8))
    assert paper.truth.rgb8.shape == (1024, 1024, 3)
    assert scenes.scene(Condition("paper", "gaussian", 8)) is paper


def test_the_field_of_view_is_shrunk_to_the_diameter(data: Path) -> None:
    scenes = Scenes(find_photographs(data / "CHASE_DB1")[0], diameter=96)
    scene = scenes.scene(Condition("native", "gaussian", 2))
    assert scene.truth.rgb8.shape == (80, 96, 3)
