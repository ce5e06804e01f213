"""The methods a person can choose, by name.

There are three sorts: what needs the photograph alone (interpolation, self super-resolution),
what was fitted to photographs without a network, and cascades of trained networks.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

from retina_viewer.core.errors import UserError
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.defaults import default_history, default_model
from retina_viewer.model_store.store import DEFAULT_MODELS, find_model, list_models
from retina_viewer.superres.classical import bicubic, lanczos
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.method_list import METHODS, Character, Method, find_method

__all__ = [
    "METHODS",
    "MOST_BLUR",
    "Character",
    "Method",
    "default_method",
    "default_network",
    "find_method",
    "make_enhancer",
    "method_of",
    "methods_on_offer",
    "models_of",
    "weights_behind",
]

MOST_BLUR = 1.0
"""Pixels; what is softer than this holds no more at its size than at half of it."""


def _ssr(scale: int) -> Enhancer:
    from retina_viewer.superres.self_superresolution import ssr

    return ssr(scale)


def _linear(card: ModelCard, scale: int) -> Enhancer:
    from retina_viewer.superres.linear import load_linear

    return load_linear(card, scale)


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
    "linear": _linear,
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
    """The method that a model is for; :func:`default_method` where none is named.

    Raises:
        UserError: there is no such model.
    """
    return find_model(default_model("superres") if model is None else model).enhancer_method


def default_method() -> str:
    """The method of the default model: what is used where a person names neither."""
    return method_of(None)


def default_network(method: str) -> ModelCard | None:
    """The model of a method where none is named; None where it needs none or none is installed.

    It is the default model or that one's pixel-trained twin if they are of the method, else what
    last was the default and is, else the shipped model, else one of the method's own name, else
    any.
    """
    installed = {card.name: card for card in list_models("superres")}
    for name in _ranked(method, installed):
        if installed[name].enhancer_method == method:
            return installed[name]
    return None


def _ranked(method: str, installed: dict[str, ModelCard]) -> Iterator[str]:
    """The names of what is installed, the more wanted first, some of them more than once."""
    chosen = [choice.model for choice in reversed(default_history("superres"))]
    for name in (default_model("superres"), *chosen, DEFAULT_MODELS["superres"]):
        if name in installed:
            yield name
            twin = installed[name].twin
            if twin in installed:
                yield twin
    if method in installed:  # and not what it was trained on from
        yield method
    yield from installed


def make_enhancer(
    method: str,
    scale: int,
    *,
    model: str | None = None,
    device: str = "auto",
    fidelity: float | None = None,
    back_projection: bool = True,
    blur: float | None = None,
) -> Enhancer:
    """An enhancer ready for use: weights loaded, device chosen.

    Args:
        method: one of :data:`METHODS`.
        scale: 2, 4, 8 or 16.
        model: a model's name; None for :func:`default_network`. For ``pixel``, a GAN stands for
            its pixel-trained twin.
        device: ``auto``, ``cpu`` or ``cuda``. What is no network is computed on the CPU.
        fidelity: of a GAN with a twin, 0 (most detail) to 1 (closest to the truth); None for the
            model's default. ``pixel`` is fidelity 1, and takes no other.
        back_projection: whether a network's result is held to the photograph, see
            :mod:`retina_viewer.superres.back_projection`. The others do without.
        blur: of the photograph, standard deviation in its own pixels; None to estimate it.
            What is no network asks for none.

    Raises:
        UserError: unknown method, scale, model or device; a model or fidelity that does not fit
            the method; a blur or fidelity out of range.
    """
    chosen = find_method(method)
    if scale not in chosen.scales:
        offered = ", ".join(f"x{one}" for one in chosen.scales)
        raise UserError(f"{chosen.title} cannot enlarge by x{scale}.", f"Choose one of {offered}.")
    if method in _OF_THE_PHOTOGRAPH:
        _refuse_model(chosen, model)
        _refuse_fidelity(chosen, fidelity)
        return _OF_THE_PHOTOGRAPH[method](scale)
    card = _fitting_model(chosen, model)
    if method in _FITTED:
        _refuse_fidelity(chosen, fidelity)
        return _FITTED[method](card, scale)
    if blur is not None and not 0 <= blur <= MOST_BLUR:
        raise UserError(
            f"A blur of {blur:g} px is not possible.", f"Choose one between 0 and {MOST_BLUR:g}."
        )
    if method == "pixel":
        _refuse_other_fidelity(chosen, fidelity)
        fidelity = None
    # Loading torch takes seconds; interpolation and --help do without it.
    from retina_viewer.networks.devices import resolve_device
    from retina_viewer.superres.back_projection import BLUR_DOUBT, BackProjected
    from retina_viewer.superres.cascade import load_cascade

    enhancer = load_cascade(card, scale, resolve_device(device), fidelity, blur)
    if not back_projection:
        return enhancer
    return BackProjected(enhancer, doubt=BLUR_DOUBT if blur is None else 0.0)


def _refuse_model(method: Method, model: str | None) -> None:
    if model is not None:
        raise UserError(
            f"{method.title} uses no model, but {model!r} was given.",
            "Leave the model out, or choose a method with a network.",
        )


def _refuse_fidelity(method: Method, fidelity: float | None) -> None:
    if fidelity is not None:
        raise UserError(
            f"{method.title} has no fidelity to choose.", "Leave it out, or choose a saliency GAN."
        )


def _refuse_other_fidelity(method: Method, fidelity: float | None) -> None:
    if fidelity not in (None, 1):
        raise UserError(
            f"{method.title} is fidelity 1; {fidelity:g} is not possible with it.",
            "Choose the method saliency-gan.",
        )


def _fitting_model(method: Method, model: str | None) -> ModelCard:
    """The model of a method: the one named or, for ``pixel``, its twin; else its default.

    Raises:
        UserError: none is installed, there is no such model, or it is another method's.
    """
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
