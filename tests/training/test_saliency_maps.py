"""The saliency of the losses: which map each kind is, and whether it has a gradient."""

import numpy as np
import pytest
import torch

from retina_viewer.imaging.readers import open_image
from retina_viewer.saliency.filters import saliency_filters
from retina_viewer.saliency.local import LocalSaliency
from retina_viewer.training.losses import luminance
from retina_viewer.training.saliency_maps import SaliencyMaps
from tests.conftest import SAMPLES


@pytest.fixture(scope="module")
def patches() -> torch.Tensor:
    """(2, 3, 48, 48) of a real photograph."""
    rgb = open_image(SAMPLES / "chase_14L.jpg").unit_rgb()
    pair = np.stack([rgb[400:448, 500:548], rgb[300:348, 420:468]])
    return torch.from_numpy(pair).permute(0, 3, 1, 2)


def test_the_share_of_the_curvature_runs_from_entropy_alone_to_curvature_alone(
    patches: torch.Tensor,
) -> None:
    ends = {0.0: "entropy", 1.0: "curvature"}
    alone = {}
    for share, kind in ends.items():
        alone[kind] = SaliencyMaps(kind, 0.4).of_truth(patches)  # type: ignore[arg-type]
        torch.testing.assert_close(SaliencyMaps("local", share).of_truth(patches), alone[kind])
    mixed = SaliencyMaps("local", 0.4).of_truth(patches)
    torch.testing.assert_close(mixed, 0.4 * alone["curvature"] + 0.6 * alone["entropy"])
    torch.testing.assert_close(mixed, LocalSaliency()(luminance(patches)))


def test_local_maps_have_a_gradient_and_those_of_the_truth_none(patches: torch.Tensor) -> None:
    image = patches.clone().requires_grad_(True)
    maps = SaliencyMaps("local", 0.4)
    assert not maps.of_truth(image).requires_grad
    made = maps.of_made(image)
    assert made is not None
    made.sum().backward()
    assert image.grad is not None
    assert float(image.grad.abs().max()) > 0


def test_saliency_filters_are_of_each_patch_and_offer_nothing_to_descend(
    patches: torch.Tensor,
) -> None:
    maps = SaliencyMaps("filters", 0.4)
    found = maps.of_truth(patches)
    assert found.shape == (2, 1, 48, 48)
    one = saliency_filters(patches[1].permute(1, 2, 0).numpy(), 64)
    np.testing.assert_allclose(found[1, 0].numpy(), one, atol=1e-6)
    assert maps.of_made(patches) is None
