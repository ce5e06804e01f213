"""VGG-16: the right weights in the right order, no deeper than asked."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from retina_viewer.core.errors import UserError
from retina_viewer.networks.vgg import VGG16Features, read_perceptual_weights


@pytest.fixture(scope="module")
def crop(sample_path: Callable[[str], Path]) -> torch.Tensor:
    with Image.open(sample_path("fives_28_A.png")) as picture:
        rgb = np.asarray(picture.convert("RGB"), dtype=np.float32)[400:464, 400:464] / 255
    return torch.from_numpy(rgb).permute(2, 0, 1)[None]


def test_the_loss_layer_has_512_maps_at_an_eighth_of_the_size(crop: torch.Tensor) -> None:
    network = VGG16Features(["relu4_1"])
    features = network(crop)["relu4_1"]
    assert features.shape == (1, 512, 8, 8)
    assert len(network.convolutions) == 8
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_the_first_activation_is_that_of_the_stored_filters(crop: torch.Tensor) -> None:
    """Computed here step by step from the file, at one pixel."""
    weights = read_perceptual_weights("vgg16_conv1_1-conv4_1.safetensors")
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    patch = (crop[0, :, 9:12, 19:22].numpy() - mean[:, None, None]) / std[:, None, None]
    kernel, bias = weights["0.weight"].numpy().astype(float), weights["0.bias"].numpy()
    expected = np.maximum((kernel * patch[None]).sum(axis=(1, 2, 3)) + bias, 0)
    found = VGG16Features(["relu1_1"])(crop)["relu1_1"][0, :, 10, 20].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_gradients_reach_the_image(crop: torch.Tensor) -> None:
    image = crop.clone().requires_grad_(True)
    VGG16Features(["relu2_1"])(image)["relu2_1"].mean().backward()
    assert image.grad is not None
    assert float(image.grad.abs().max()) > 0


def test_unknown_layers_and_missing_files_are_refused() -> None:
    with pytest.raises(ValueError, match="relu6_1"):
        VGG16Features(["relu6_1"])
    with pytest.raises(UserError, match="missing or broken"):
        read_perceptual_weights("none.safetensors")
