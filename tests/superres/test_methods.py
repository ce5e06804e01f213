"""The methods by name, and what is said of a name that is none."""

from typing import Any

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.degradation import STANDARD
from retina_viewer.model_store.defaults import set_default
from retina_viewer.model_store.store import DEFAULT_MODELS, find_model
from retina_viewer.superres.back_projection import BackProjected
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.methods import (
    METHODS,
    default_method,
    default_network,
    find_method,
    make_enhancer,
    method_of,
    methods_on_offer,
    models_of,
)
from tests.superres.tiny_models import add_cascade, add_gan_and_twin


def make(method: str, scale: int, **more: Any) -> Enhancer:
    return make_enhancer(EnhanceSettings(method, **more).at(scale))


def test_the_list_reads_well() -> None:
    names = [method.id for method in METHODS]
    assert names == [
        *("saliency-gan", "srgan", "srgan-vgg19", "pixel", "srcnn", "sr-forest", "ssr"),
        *("linear", "bicubic", "lanczos"),
    ]
    assert find_method(default_method()).learned
    for method in METHODS:
        assert method.scales == (2, 4, 8, 16)
        assert method.sentence.endswith(".")
        assert method.learned or method.character != "draws"


@pytest.mark.parametrize("name", ["bicubic", "lanczos"])
@pytest.mark.parametrize("scale", [2, 16])
def test_interpolation_by_name(name: str, scale: int) -> None:
    enhancer = make(name, scale)
    assert (enhancer.method, enhancer.scale, enhancer.model) == (name, scale, None)
    assert not enhancer.whole_image_only


def test_unknown_names_scales_and_models_are_explained() -> None:
    with pytest.raises(UserError, match="bicubci") as caught:
        make("bicubci", 4)
    assert "bicubic" in caught.value.hint
    with pytest.raises(UserError, match="x3") as caught:
        make("bicubic", 3)
    assert "x4" in caught.value.hint
    with pytest.raises(UserError, match="no model"):
        make("bicubic", 4, model="x")
    with pytest.raises(UserError, match="no fidelity"):
        make("bicubic", 4, fidelity=0.5)
    with pytest.raises(UserError, match="blur of 3 px"):
        make("pixel", 4, blur=3, device="cpu")


def test_the_default_method_is_that_of_the_default_model() -> None:
    shipped = find_model(DEFAULT_MODELS["superres"])
    expected = "pixel" if shipped.twin is None else "saliency-gan"
    assert method_of(None) == method_of(shipped.name) == default_method() == expected
    assert default_method() in [method.id for method in methods_on_offer()]


def test_the_persons_default_decides_method_and_network() -> None:
    add_gan_and_twin()
    add_cascade("mine", 1)
    set_default("gan")
    assert default_method() == "saliency-gan"
    names = {one: default_network(one) for one in ("saliency-gan", "pixel")}
    assert {one: card.name for one, card in names.items() if card} == {
        "saliency-gan": "gan",
        "pixel": "twin",
    }
    assert make("pixel", 2, device="cpu").model == "twin"
    assert make("saliency-gan", 2, device="cpu").model == "gan"
    set_default("mine")
    assert default_method() == "pixel"
    assert make("pixel", 2, device="cpu").model == "mine"
    assert make("saliency-gan", 2, device="cpu").model == "gan"  # the last that was it


def test_a_saliency_gan_and_its_twin_by_name() -> None:
    add_gan_and_twin()
    assert "saliency-gan" in [method.id for method in methods_on_offer()]
    assert (method_of("gan"), method_of("twin")) == ("saliency-gan", "pixel")
    gan = make("saliency-gan", 2, model="gan", device="cpu")
    assert (gan.method, gan.model, gan.fidelity) == ("saliency-gan", "gan", 0.25)
    whole = make("saliency-gan", 2, model="gan", device="cpu", fidelity=1)
    assert (whole.method, whole.model, whole.fidelity) == ("saliency-gan", "gan", 1)
    for model in ("gan", "twin"):
        pixel = make("pixel", 2, model=model, device="cpu", fidelity=1)
        assert (pixel.method, pixel.model, pixel.fidelity) == ("pixel", "twin", None)


def test_models_and_methods_that_do_not_fit_are_explained() -> None:
    add_gan_and_twin()
    with pytest.raises(UserError, match="not for the method 'saliency-gan'") as caught:
        make("saliency-gan", 2, model="twin", device="cpu")
    assert "gan" in caught.value.hint
    with pytest.raises(UserError, match="is fidelity 1"):
        make("pixel", 2, model="twin", device="cpu", fidelity=0.5)
    with pytest.raises(UserError, match="unheard-of"):
        make("saliency-gan", 2, model="unheard-of", device="cpu")


def test_without_a_saliency_gan_none_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    add_cascade("plain", 1)
    monkeypatch.setattr(
        "retina_viewer.superres.methods.list_models", lambda task: [find_model("plain")]
    )
    assert "saliency-gan" not in [method.id for method in methods_on_offer()]
    with pytest.raises(UserError, match="No model for the method 'saliency-gan'") as caught:
        make("saliency-gan", 2, device="cpu")
    assert "pixel" in caught.value.hint


def test_a_model_is_of_the_method_that_its_card_names() -> None:
    add_gan_and_twin()
    add_cascade("a-srgan", 3, method="srgan", twin="twin", fidelity=0.5)
    add_cascade("a-srcnn", 4, method="srcnn")
    assert {"srgan", "srcnn"} <= {method.id for method in methods_on_offer()}
    assert next(card.name for card in models_of("srgan")) == "a-srgan"
    made = make("srgan", 2, model="a-srgan", device="cpu", fidelity=0)
    assert (made.method, made.model, made.fidelity) == ("srgan", "a-srgan", 0)
    assert make("srcnn", 2, model="a-srcnn", device="cpu").method == "srcnn"
    assert make("pixel", 2, model="a-srgan", device="cpu").model == "twin"
    with pytest.raises(UserError, match="not for the method 'saliency-gan'"):
        make("saliency-gan", 2, model="a-srgan", device="cpu")
    with pytest.raises(UserError, match="not for the method 'pixel'"):
        make("pixel", 2, model="a-srcnn", device="cpu")
    set_default("a-srcnn")
    assert default_method() == "srcnn"
    assert method_of("a-srgan") == "srgan"


def test_without_a_choice_of_the_method_the_shipped_models_count() -> None:
    add_cascade("a-srcnn", 4, method="srcnn")
    set_default("a-srcnn")
    shipped = find_model(DEFAULT_MODELS["superres"])
    for method in ("saliency-gan", "pixel"):
        found = default_network(method)
        assert found is not None
        assert found.name in (shipped.name, shipped.twin)
    assert default_network("bicubic") is None
    add_cascade("another", 5, method="srgan-vgg19")
    add_cascade("srgan-vgg19", 6, method="srgan-vgg19")
    found = default_network("srgan-vgg19")
    assert found is not None
    assert found.name == "srgan-vgg19"


def test_what_needs_the_photograph_alone_has_no_models() -> None:
    assert {"ssr", "bicubic", "lanczos"} <= {method.id for method in methods_on_offer()}
    with pytest.raises(UserError, match="uses no model"):
        make("ssr", 2, model="pixel-fast")


def test_networks_are_held_to_the_photograph_unless_told_not_to() -> None:
    add_cascade("mine", 1)
    held = make("pixel", 4, model="mine", device="cpu")
    assert isinstance(held, BackProjected)
    assert held.back_projection == 1
    assert held.doubt > 0
    known = make("pixel", 4, model="mine", device="cpu", blur=0.25)
    assert isinstance(known, BackProjected)
    assert (known.doubt, known.degradation.blur) == (0, 0.25)
    free = make("pixel", 4, model="mine", device="cpu", back_projection=False)
    assert (free.back_projection, free.degradation) == (None, STANDARD)
    assert make("bicubic", 4).back_projection is None
