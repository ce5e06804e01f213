"""All figures of a vessel map: in the field of view, whole, of thin vessels and of centre lines."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from retina_viewer.quality.datasets import read_mask
from studies.vessel_metrics import (
    all_vessel_figures,
    thin_vessels,
    vessel_figures,
)


def test_pixels_outside_the_field_of_view_do_not_count() -> None:
    truth = np.array([True, False, True, False])
    probability = np.array([0.9, 0.1, 0.2, 0.8], np.float32)
    inside = np.array([True, True, False, False])
    figures = vessel_figures(probability, probability > 0.5, truth, inside)
    assert set(figures.values()) == {1.0}
    everywhere = np.ones(4, bool)
    assert vessel_figures(probability, probability > 0.5, truth, everywhere)["auc"] == 0.75


@pytest.mark.parametrize("angle", [0.0, 20.0, 45.0, 90.0])
def test_vessels_up_to_three_pixels_wide_are_thin(angle: float) -> None:
    y, x = np.mgrid[-40:41, -40:41].astype(float)
    across = x * np.sin(np.radians(angle)) + y * np.cos(np.radians(angle))
    thin, wide = np.abs(across) < 1.5, np.abs(across - 20) < 3.5
    found = thin_vessels(thin | wide)
    inner = np.hypot(x, y) < 36  # the image's border cuts vessels
    assert (found & thin & inner).sum() > 0.98 * (thin & inner).sum()
    assert (found & wide & inner).sum() < 0.02 * (wide & inner).sum()


@pytest.fixture(scope="module")
def drawn(samples: Path) -> np.ndarray:
    return read_mask(samples / "chase_14L_vessels.png")[380:540, 380:572]


def test_an_observer_against_itself_is_perfect(drawn: np.ndarray) -> None:
    inside = np.ones(drawn.shape, bool)
    figures = all_vessel_figures(drawn.astype(np.float32), drawn, drawn, inside)
    assert set(figures.values()) == {1.0}
    assert {"cldice", "sensitivity_thin", "dice_whole", "cldice_whole"} <= figures.keys()


def test_precision_recall_and_f1_are_those_of_the_textbook(drawn: np.ndarray) -> None:
    random = np.random.default_rng(0)
    found = drawn ^ (random.random(drawn.shape) < 0.1)
    inside = np.zeros(drawn.shape, bool)
    inside[:, 30:] = True
    figures = all_vessel_figures(found.astype(np.float32), found, drawn, inside)
    for suffix, part in (("", inside), ("_whole", np.ones_like(inside))):
        truth, prediction = drawn[part], found[part]
        assert figures["dice" + suffix] == pytest.approx(f1_score(truth, prediction))
        assert figures["sensitivity" + suffix] == pytest.approx(recall_score(truth, prediction))
        assert figures["precision" + suffix] == pytest.approx(precision_score(truth, prediction))
    assert figures["dice"] != figures["dice_whole"]


def test_the_dark_surround_flatters_the_whole(drawn: np.ndarray) -> None:
    inside = np.zeros(drawn.shape, bool)
    inside[40:120, 40:150] = True
    truth = drawn & inside
    found = inside & (np.random.default_rng(1).random(drawn.shape) < 0.3)
    figures = all_vessel_figures(found.astype(np.float32), found, truth, inside)
    assert figures["accuracy_whole"] > figures["accuracy"]
    assert figures["specificity_whole"] > figures["specificity"]
    assert figures["dice_whole"] == figures["dice"]  # nothing is found or drawn outside


def test_what_is_not_defined_is_left_out(drawn: np.ndarray) -> None:
    nothing = np.zeros_like(drawn)
    inside = np.ones_like(drawn)
    figures = all_vessel_figures(nothing.astype(np.float32), nothing, drawn, inside)
    assert "precision" not in figures and figures["dice"] == figures["cldice"] == 0.0
