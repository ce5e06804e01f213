"""The methods a person can choose, by name.

There are three sorts: what needs the photograph alone (interpolation, self super-resolution),
what was fitted to photographs without a network, and cascades of trained networks.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from retina_viewer.core.errors import UserError
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.defaults import default_history, default_model
from retina_viewer.model_store.store import DEFAULT_MODELS, find_model, list_models
from retina_viewer.superres.classical import bicubic, lanczos
from retina_viewer.superres.enhance_settings import SCALES, EnhanceSettings
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.linear import load_linear

Character = Literal["draws", "restores", "interpolates"]
"""What a method does to detail: draws what looks right, restores what comes closest to the truth,
or adds none."""


@dataclass(frozen=True)
class Method:
    """One entry of the method chooser.

    Attributes:
        id: the name on the command line and in provenance.
        title: the name in the window.
        sentence: what it does, for someone who has never heard of it.
        character: the chooser's groups.
        learned: whether what it makes was learned from photographs, pixel by pixel as they look
            there (the window marks it as AI). A filter of fixed numbers is not, however fitted.
        scales: the enlargements it offers.
    """

    id: str
    title: str
    sentence: str
    character: Character
    learned: bool = True
    scales: tuple[int, ...] = SCALES


METHODS: list[Method] = [
    Method(
        "saliency-gan",
        "Saliency GAN",
        "Networks trained to look like sharp photographs where the eye looks first; "
        "what they draw may not be there.",
        "draws",
    ),
    Method(
        "srgan",
        "SRGAN",
        "Networks trained to look like sharp photographs everywhere alike; "
        "what they draw may not be there.",
        "draws",
    ),
    Method(
        "srgan-vgg19",
        "SRGAN with VGG-19",
        "Networks trained against a judge that knows everyday pictures; "
        "what they draw may not be there.",
        "draws",
    ),
    Method(
        "pixel",
        "Pixel-trained network",
        "Small networks trained to come closest to the true photograph, pixel by pixel; "
        "fine structure may still be missing or wrong.",
        "restores",
    ),
    Method(
        "srcnn",
        "SRCNN",
        "The first network for this task, of three layers: sharpens the brightness of bicubic "
        "interpolation a little.",
        "restores",
    ),
    Method(
        "sr-forest",
        "Super-resolution forest",
        "Decision trees that choose a sharpening for each small patch by its edges; "
        "restores less than networks do.",
        "restores",
    ),
    Method(
        "ssr",
        "Self super-resolution",
        "Learns from the photograph itself how blurring changes it, and undoes that; works on "
        "whole photographs only, slowly.",
        "restores",
    ),
    Method(
        "linear",
        "Best linear filter",
        "One fixed sharpening filter, the best there is for photographs softened as in its "
        "fitting; sharpens noise as well.",
        "restores",
        learned=False,
    ),
    Method(
        "bicubic",
        "Bicubic",
        "Smooth interpolation between the pixels; adds no detail.",
        "interpolates",
        learned=False,
    ),
    Method(
        "lanczos",
        "Lanczos",
        "Interpolation that keeps edges slightly crisper than bicubic; adds no detail.",
        "interpolates",
        learned=False,
    ),
]
"""All, in the order of the chooser; what is installed of them say the methods on offer."""


def find_method(name: str) -> Method:
    """The method of that name. Raises UserError: there is none."""
    known = {method.id: method for method in METHODS}
    if name not in known:
        raise UserError(f"There is no method {name!r}.", f"The methods are: {', '.join(known)}.")
    return known[name]


def _ssr(scale: int) -> Enhancer:
    from retina_viewer.superres.self_superresolution import ssr

    return ssr(scale)


def _forest(card: ModelCard, scale: int) -> Enhancer:
    from retina_viewer.superres.forest import load_forest

    return load_forest(card, scale)


# What is in neither table is a cascade of networks.
_OF_THE_PHOTOGRAPH: dict[str, Callable[[int], Enhancer]] = {
    "ssr": _ssr,
    "bicubic": bicubic,
    "lanczos": lanczos,
}
_FITTED: dict[str, Callable[[ModelCard, int], Enhancer]] = {
    "linear": load_linear,
    "sr-forest": _forest,
}


def methods_on_offer() -> list[Method]:
    """What can be chosen with the models of this installation, in the order of :data:`METHODS`."""
    with_models = {card.enhancer_method for card in list_models("superres")}
    return [one for one in METHODS if one.id in with_models or one.id in _OF_THE_PHOTOGRAPH]


def models_of(method: str) -> list[ModelCard]:
    """The installed models of a method; none where it needs none."""
    return [card for card in list_models("superres") if card.enhancer_method == method]


def weights_behind(card: ModelCard) -> tuple[str, ...]:
    """What decides a model's results, whatever it is called: the SHA-256 of its own weights, its
    twin's, and those that estimate blur and noise; without what is not installed."""
    weights = [card.weights_sha256]
    for name in (card.twin, default_model("formation")):
        if name is not None:
            with suppress(UserError):
                weights.append(find_model(name).weights_sha256)
    return tuple(weights)


def method_of(model: str | None) -> str:
    """The method that a model is for, the default model where none is named. Raises UserError:
    there is no such model."""
    return find_model(default_model("superres") if model is None else model).enhancer_method


def default_method() -> str:
    """The method of the default model: what is used where a person names neither."""
    return method_of(None)


def default_network(method: str) -> ModelCard | None:
    """The model of a method where none is named; None where it needs none or none is installed.

    It is the default model or that one's pixel-trained twin if they are of the method, else what
    last was the default and is, else the shipped model, else one of the method's own name (and not
    what it was trained on from), else any.
    """
    installed = {card.name: card for card in list_models("superres")}
    chosen = [choice.model for choice in reversed(default_history("superres"))]
    wanted: list[str | None] = []
    for name in (default_model("superres"), *chosen, DEFAULT_MODELS["superres"]):
        wanted += [name, installed[name].twin] if name in installed else []
    ranked = (installed[name] for name in (*wanted, method, *installed) if name in installed)
    return next((card for card in ranked if card.enhancer_method == method), None)


def make_enhancer(settings: EnhanceSettings) -> Enhancer:
    """An enhancer ready for use: weights loaded, device chosen. Raises UserError: unknown method,
    model or device; a model or fidelity that does not fit the method; a scale that method or model
    does not reach."""
    chosen = find_method(settings.method or method_of(settings.model))
    scale, fidelity, blur = settings.scale, settings.fidelity, settings.blur
    if chosen.id in _OF_THE_PHOTOGRAPH:
        if settings.model is not None:
            raise UserError(
                f"{chosen.title} uses no model, but {settings.model!r} was given.",
                "Leave the model out, or choose a method with a network.",
            )
        _refuse_fidelity(chosen, fidelity)
        return _OF_THE_PHOTOGRAPH[chosen.id](scale)
    card = _fitting_model(chosen, settings.model)
    if chosen.id in _FITTED:
        _refuse_fidelity(chosen, fidelity)
        return _FITTED[chosen.id](card, scale)
    if chosen.id == "pixel":
        if fidelity not in (None, 1):
            raise UserError(
                f"{chosen.title} is fidelity 1; {fidelity:g} is not possible with it.",
                "Choose the method saliency-gan.",
            )
        fidelity = None
    # Loading torch takes seconds; interpolation and --help do without it.
    from retina_viewer.networks.devices import resolve_device
    from retina_viewer.superres.back_projection import BLUR_DOUBT, BackProjected
    from retina_viewer.superres.cascade import load_cascade

    enhancer = load_cascade(card, scale, resolve_device(settings.device), fidelity, blur)
    if not settings.back_projection:
        return enhancer
    return BackProjected(enhancer, doubt=BLUR_DOUBT if blur is None else 0.0)


def _refuse_fidelity(method: Method, fidelity: float | None) -> None:
    if fidelity is not None:
        raise UserError(
            f"{method.title} has no fidelity to choose.", "Leave it out, or choose a saliency GAN."
        )


def _fitting_model(method: Method, model: str | None) -> ModelCard:
    """The model of a method: the one named or, for ``pixel``, its twin; else its default. Raises
    UserError: none is installed, there is no such model, or it is another method's."""
    if model is None:
        default = default_network(method.id)
        if default is None:
            offered = ", ".join(one.id for one in methods_on_offer())
            raise UserError(
                f"No model for the method {method.id!r} is installed.", f"Choose one of {offered}."
            )
        return default
    card = find_model(model)
    if method.id == "pixel" and card.twin is not None:
        return find_model(card.twin)
    if card.task != "superres" or card.enhancer_method != method.id:
        known = ", ".join(one.name for one in models_of(method.id)) or "none"
        raise UserError(
            f"The model {model!r} is not for the method {method.id!r}.",
            f"Choose another method, or one of the installed models for it: {known}.",
        )
    return card
