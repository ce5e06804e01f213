"""VGG-16: the right weights in the right order, no deeper than asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from retina_viewer.core.errors import UserError
from retina_viewer.networks import vgg
from retina_viewer.networks.vgg import (
    DEEPEST,
    FILE,
    VGG16Features,
    VGG19Features,
    read_perceptual_weights,
)


@pytest.fixture(scope="module")
def near_disc(sample_path: Callable[[str], Path]) -> torch.Tensor:
    with Image.open(sample_path("fives_28_A.png")) as picture:
        rgb = np.asarray(picture.convert("RGB"), dtype=np.float32)[400:464, 400:464] / 255
    return torch.from_numpy(rgb).permute(2, 0, 1)[None]


def test_the_loss_layer_has_512_maps_at_an_eighth_of_the_size(near_disc: torch.Tensor) -> None:
    network = VGG16Features(["relu4_1"])
    features = network(near_disc)["relu4_1"]
    assert features.shape == (1, 512, 8, 8)
    assert len(network.convolutions) == 8
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_the_first_activation_is_that_of_the_stored_filters(near_disc: torch.Tensor) -> None:
    """Computed here step by step from the file, at one pixel."""
    weights = read_perceptual_weights("vgg16_conv1_1-conv4_1.safetensors")
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    patch = (near_disc[0, :, 9:12, 19:22].numpy() - mean[:, None, None]) / std[:, None, None]
    kernel, bias = weights["0.weight"].numpy().astype(float), weights["0.bias"].numpy()
    expected = np.maximum((kernel * patch[None]).sum(axis=(1, 2, 3)) + bias, 0)
    found = VGG16Features(["relu1_1"])(near_disc)["relu1_1"][0, :, 10, 20].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_gradients_reach_the_image(near_disc: torch.Tensor) -> None:
    image = near_disc.clone().requires_grad_(True)
    VGG16Features(["relu2_1"])(image)["relu2_1"].mean().backward()
    assert image.grad is not None
    assert float(image.grad.abs().max()) > 0


def test_unknown_layers_and_missing_files_are_refused() -> None:
    with pytest.raises(ValueError, match="relu6_1"):
        VGG16Features(["relu6_1"])
    with pytest.raises(UserError, match="missing or broken"):
        read_perceptual_weights("none.safetensors")


def test_the_activations_are_those_of_plain_convolutions(crop: torch.Tensor) -> None:
    """The first block as straightforward layers in the authors' own convention of colours."""
    weights = {name: one.float() for name, one in read_perceptual_weights(FILE).items()}
    layers = nn.Sequential(
        nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1)
    )
    layers.load_state_dict({
        f"{place}.{kind}": weights[f"conv{name}.{kind}"]
        for place, name in ((0, "1_1"), (2, "1_2"))
        for kind in ("weight", "bias")
    })  # fmt: skip
    red, green, blue = (255 * crop).unbind(1)
    caffe = torch.stack([blue - 103.939, green - 116.779, red - 123.68], dim=1)
    found = VGG19Features(["relu1_2"])(crop)
    assert list(found) == ["relu1_2"]
    torch.testing.assert_close(found["relu1_2"], layers(caffe).relu() / 1000)


def test_the_deepest_is_a_quarter_of_the_size_and_about_unit(crop: torch.Tensor) -> None:
    deep = VGG19Features()(crop)[DEEPEST]
    assert deep.shape == (1, 256, 16, 16)
    assert 0.3 < float(deep.square().mean().sqrt()) < 3


def test_blur_is_farther_from_a_photograph_than_a_little_noise_less(crop: torch.Tensor) -> None:
    features = VGG19Features()
    blurred = nn.functional.avg_pool2d(crop, 5, stride=1, padding=2, count_include_pad=False)
    truth, soft = features(crop)[DEEPEST], features(blurred)[DEEPEST]
    assert float((truth - soft).square().mean()) > 0.1 * float(truth.var())


def test_it_is_fixed_and_no_part_of_a_saved_state(crop: torch.Tensor) -> None:
    features = VGG19Features()
    assert not features.state_dict()
    assert not list(features.parameters())
    image = crop.clone().requires_grad_(True)
    features(image)[DEEPEST].sum().backward()
    assert image.grad is not None
    assert float(image.grad.abs().max()) > 0


def test_other_names_and_missing_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="4_1"):
        VGG19Features(["relu4_1"])
    monkeypatch.setattr(vgg, "FILE", "none.safetensors")
    with pytest.raises(UserError, match=r"none\.safetensors"):
        VGG19Features()
