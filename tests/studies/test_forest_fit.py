"""From samples to a forest: PCA keeps the energy, leaves hold regressions, little is lost."""

import numpy as np
import pytest
import torch

from retina_viewer.superres.forest import PROJECTION_UNIT, expanded, projected
from studies.fitted_recipe import ForestStage
from studies.forest_fit import Samples, compressed, fit_forest, fitted_projection
from studies.forest_run import predicted_residuals

STAGE = ForestStage(patch=24, samples=1, trees=3, depth=4, smallest_leaf=100, rank=8)


@pytest.fixture(scope="module")
def samples() -> Samples:
    """Patches of few kinds, which lack what a linear map of them says, and a little else."""
    rng = np.random.default_rng(0)
    kinds = rng.normal(0, 40, (12, 144))
    patches = np.rint(rng.normal(size=(3000, 12)) @ kinds).astype(np.int16)
    lacking = patches @ rng.normal(0, 0.3, (144, 36)) + rng.normal(0, 5, (3000, 36))
    return Samples(patches, lacking.astype(np.float32))


def test_the_projection_keeps_the_energy_and_no_more(samples: Samples) -> None:
    projection = fitted_projection(samples.patches, 0.999)
    assert projection.shape == (144, 12)
    axes = projection / PROJECTION_UNIT
    kept = np.square(samples.patches @ axes).sum() / np.square(samples.patches.astype(float)).sum()
    assert kept > 0.998


def test_a_forest_says_what_patches_lack(samples: Samples) -> None:
    forest = expanded(fit_forest(samples, STAGE, seed=1))
    assert forest.is_sound
    said = predicted_residuals(forest, projected(samples.patches, forest.projection))
    left = np.square(samples.residuals - said).mean()
    assert left < 0.02 * np.square(samples.residuals).mean()


def test_fitting_is_deterministic(samples: Samples) -> None:
    first, second = (fit_forest(samples, STAGE, seed=1).state_dict() for _ in range(2))
    other = fit_forest(samples, STAGE, seed=2).state_dict()
    for name, value in first.items():
        assert torch.equal(value, second[name])
    assert not torch.equal(first["threshold"], other["threshold"])


def test_regressions_of_low_rank_are_kept_whole() -> None:
    rng = np.random.default_rng(0)
    parts = rng.normal(size=(4, 6 * 36))
    regressions = (rng.normal(size=(50, 4)) @ parts).reshape(50, 6, 36)
    codes, dictionary = compressed(regressions, np.diag([9.0, 4, 2, 1, 0.5, 0.1]), rank=4)
    assert codes.shape == (50, 4)
    again = codes.astype(np.float64) @ dictionary[1:] + dictionary[0]
    np.testing.assert_allclose(again.reshape(50, 6, 36), regressions, atol=0.02)


def test_what_is_lost_is_what_matters_least() -> None:
    """The first feature is large: an error in its row would be seen."""
    rng = np.random.default_rng(0)
    regressions = rng.normal(size=(50, 3, 36))
    moments = np.diag([100.0, 1.0, 0.01])
    codes, dictionary = compressed(regressions, moments, rank=36)
    again = (codes.astype(np.float64) @ dictionary[1:] + dictionary[0]).reshape(50, 3, 36)
    errors = np.square(again - regressions).mean(axis=(0, 2))
    assert errors[0] < 0.1 * errors[1]
    assert errors[1] < errors[2]
