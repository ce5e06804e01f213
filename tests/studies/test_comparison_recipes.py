"""The recipes of the comparison's networks, cut down: trained to a model that its method uses."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from retina_viewer.core.geometry import Rect
from retina_viewer.core.paths import resources_dir, user_models_dir
from retina_viewer.imaging.readers import open_image
from retina_viewer.model_store.card import ModelCard, read_card
from retina_viewer.model_store.store import verify_model
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.methods import make_enhancer, methods_on_offer
from studies.train import train
from tests.superres.tiny_models import add_cascade

Trainer = Callable[[str], ModelCard]


def tiny(name: str, folder: Path, base: str | None) -> Path:
    """A recipe of seconds: two small networks, one stage each of two steps, few patches."""
    text = (resources_dir() / "recipes" / f"{name}.toml").read_text(encoding="utf-8")
    head, *stages = text.split("[[stages]]")
    chosen = [next(s for s in reversed(stages) if f"\nstep = {k}\n" in s) for k in (1, 2)]
    text = "[[stages]]".join([head, *chosen])
    steps = re.findall(r"    \{ kind = .* \},\n", text)
    for extra in steps[2:]:
        text = text.replace(extra, "", 1) if text.count(extra) > 2 else text.replace(extra, "")
    text = re.sub(r"maps = \d+, blocks = \d+", "maps = 8, blocks = 1", text)
    text = text.replace("maps = [64, 32]", "maps = [8, 4]")
    text = re.sub(r"datasets = .*", 'datasets = ["CHASE_DB1"]', text)
    text = re.sub(r"field_diameters = .*", "field_diameters = [200.0, 300.0]", text)
    text = re.sub(r"validation_patches = .*\n", "", text)
    text = re.sub(r"^step = .*", r"\g<0>\nvalidation_patches = 1", text, flags=re.MULTILINE)
    if base is not None:
        text = re.sub(r"base = .*", f'base = "{base}"', text)
    changes = {"iterations": 2, "validate_every": 2, "batch": 1, "patch": 14, "warmup": 0}
    for field, value in (changes | {"discriminator_narrow": 8}).items():
        text = re.sub(rf"^{field} = .*", f"{field} = {value}", text, flags=re.MULTILINE)
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def trained(data_folder: Path, tmp_path: Path) -> Callable[..., ModelCard]:
    """Trains a recipe and puts its model among one's own; the card as it is read there."""

    def run(name: str, base: str | None = None) -> ModelCard:
        out = user_models_dir() / f"{name}-run"
        card = train(
            tiny(name, tmp_path, base), data_folder, out, device="cpu", cache=tmp_path / "cache"
        )
        (out / "model").rename(user_models_dir() / card.name)
        return read_card(user_models_dir() / card.name)

    return run


def is_used(method: str, model: str, samples: Path) -> None:
    """At x4, the same by tiles and whole."""
    assert method in {one.id for one in methods_on_offer()}
    enhancer = make_enhancer(EnhanceSettings(method, 4, "cpu", model, back_projection=False))
    assert (enhancer.method, enhancer.model) == (method, model)
    rgb = open_image(samples / "chase_14L.jpg").unit_rgb()[400:440, 400:436]
    whole = enhancer.enhance_region(rgb, Rect(0, 0, 36, 40))
    assert whole.shape == (160, 144, 3)
    part = enhancer.enhance_region(rgb, Rect(11, 7, 9, 13))
    np.testing.assert_allclose(part, whole[28:80, 44:80], atol=1e-5)


def test_srcnn(trained: Callable[..., ModelCard], samples: Path) -> None:
    card = trained("srcnn")
    assert (card.method, card.twin, card.scales) == ("srcnn", None, (2, 4))
    assert card.margins == (6, 6)
    verify_model(card)
    is_used("srcnn", card.name, samples)


@pytest.mark.slow
def test_srgan_is_mixed_with_the_pixel_trained_network_it_began_as(
    trained: Callable[..., ModelCard], samples: Path
) -> None:
    add_cascade("mine", 1)
    card = trained("srgan", "mine")
    assert (card.method, card.twin, card.fidelity) == ("srgan", "mine", 0.5)
    assert card.enhancer_method == "srgan"
    verify_model(card)
    is_used("srgan", card.name, samples)
    assert make_enhancer(EnhanceSettings("srgan", 2, "cpu", card.name, 0)).fidelity == 0


@pytest.mark.slow
def test_srgan_with_vgg_19_in_two_stages(trained: Callable[..., ModelCard], samples: Path) -> None:
    content = trained("srgan-vgg19-content")
    card = trained("srgan-vgg19", content.name)
    assert (content.method, card.method) == ("srgan-vgg19", "srgan-vgg19")
    assert (card.twin, card.fidelity) == (None, None)
    assert card.parent == f"srgan-vgg19-content {content.version}"
    assert card.parameters["steps"][0]["mean"] == [0.6602, 0.275, 0.081]
    verify_model(card)
    is_used("srgan-vgg19", card.name, samples)
    default = make_enhancer(EnhanceSettings("srgan-vgg19", 2, device="cpu"))
    assert default.model == "srgan-vgg19"  # and not what it began as
