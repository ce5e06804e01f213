"""VGG-19's first convolutions: the weights that come with the program, and what they tell."""

import pytest
import torch
from torch import nn

from retina_viewer.core.errors import UserError
from retina_viewer.networks import vgg
from retina_viewer.networks.vgg import DEEPEST, FILE, VGG19Features, read_perceptual_weights


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
