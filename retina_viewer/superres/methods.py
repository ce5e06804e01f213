"""The methods a person can choose, by name."""

from collections.abc import Callable
from dataclasses import dataclass

from retina_viewer.core.errors import UserError
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.defaults import default_history, default_model
from retina_viewer.model_store.store import find_model, list_models
from retina_viewer.superres.classical import SCALES, bicubic, lanczos
from retina_viewer.superres.enhancer import Enhancer


@dataclass(frozen=True)
class Method:
    """One entry of the method chooser.

    Args:
        id: the name on the command line and in provenance.
        title: the name in the window.
        sentence: what it does, for someone who has never heard of it.
        scales: the enlargements it offers.
        learned: whether a trained network makes the result (the window marks it as AI).
    """

    id: str
    title: str
    sentence: str
    scales: tuple[int, ...]
    learned: bool


METHODS: list[Method] = [
    Method(
        "saliency-gan",
        "Saliency GAN",
        "Networks trained to look like sharp photographs where the eye looks first; "
        "what they draw may not be there.",
        SCALES,
        learned=True,
    ),
    Method(
        "pixel",
        "Pixel-trained network",
        "Small networks trained to come closest to the true photograph, pixel by pixel; "
        "fine structure may still be missing or wrong.",
        SCALES,
        learned=True,
    ),
    Method(
        "bicubic",
        "Bicubic",
        "Smooth interpolation between the pixels; adds no detail.",
        SCALES,
        learned=False,
    ),
    Method(
        "lanczos",
        "Lanczos",
        "Interpolation that keeps edges slightly crisper than bicubic; adds no detail.",
        SCALES,
        learned=False,
    ),
]
"""All, in the order of the chooser; :func:`methods_on_offer` leaves out what is not installed."""

MOST_BLUR = 1.0
"""Pixels; what is softer than this holds no more at its size than at half of it."""

_INTERPOLATIONS: dict[str, Callable[[int], Enhancer]] = {"bicubic": bicubic, "lanczos": lanczos}


def find_method(name: str) -> Method:
    """The method of that name.

    Raises:
        UserError: there is none.
    """
    for method in METHODS:
        if method.id == name:
            return method
    names = ", ".join(method.id for method in METHODS)
    raise UserError(f"There is no method {name!r}.", f"The methods are: {names}.")


def methods_on_offer() -> list[Method]:
    """What can be chosen with the models of this installation, in the order of :data:`METHODS`."""
    gan = any(card.twin is not None for card in list_models("superres"))
    return [method for method in METHODS if gan or method.id != "saliency-gan"]


def method_of(model: str | None) -> str:
    """The method that a model is for: ``saliency-gan`` if it has a pixel-trained twin, else
    ``pixel``; :func:`default_method` where none is named.

    Raises:
        UserError: there is no such model.
    """
    name = default_model("superres") if model is None else model
    return "pixel" if find_model(name).twin is None else "saliency-gan"


def default_method() -> str:
    """The method of the default model: what is used where a person names neither."""
    return method_of(None)


def default_network(method: str) -> ModelCard | None:
    """The model of a method with networks where none is named; None where none is installed.

    Of ``pixel`` it is the default model or that one's pixel-trained twin; of ``saliency-gan`` the
    default model, else the saliency GAN that last was it, else any.
    """
    installed = {card.name: card for card in list_models("superres")}
    default = installed.get(default_model("superres"))
    if method == "pixel":
        twin = default.twin if default is not None else None
        return installed.get(twin) if twin is not None else default
    gans = [card.name for card in installed.values() if card.twin is not None]
    last = [choice.model for choice in reversed(default_history("superres"))]
    ranked = [name for name in (default_model("superres"), *last, *gans) if name in gans]
    return installed[ranked[0]] if ranked else None


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
        model: a model's name; None for :func:`default_network`. For ``pixel``, a saliency GAN
            stands for its pixel-trained twin.
        device: ``auto``, ``cpu`` or ``cuda``.
        fidelity: of a saliency GAN, 0 (most detail) to 1 (closest to the truth); None for the
            model's default. ``pixel`` is fidelity 1, and takes no other.
        back_projection: whether a network's result is held to the photograph, see
            :mod:`retina_viewer.superres.back_projection`. Interpolation does without.
        blur: of the photograph, standard deviation in its own pixels; None to estimate it.
            Interpolation asks for none.

    Raises:
        UserError: unknown method, scale, model or device; a model or fidelity that does not fit
            the method; a blur or fidelity out of range.
    """
    chosen = find_method(method)
    if scale not in chosen.scales:
        offered = ", ".join(f"x{one}" for one in chosen.scales)
        raise UserError(f"{chosen.title} cannot enlarge by x{scale}.", f"Choose one of {offered}.")
    if method in _INTERPOLATIONS:
        _refuse_for_interpolation(chosen, model, fidelity)
        return _INTERPOLATIONS[method](scale)
    if blur is not None and not 0 <= blur <= MOST_BLUR:
        raise UserError(
            f"A blur of {blur:g} px is not possible.", f"Choose one between 0 and {MOST_BLUR:g}."
        )
    if method == "pixel":
        model, fidelity = _pixel_trained(chosen, model, fidelity), None
    else:
        model = _gan(model)
    # Loading torch takes seconds; interpolation and --help do without it.
    from retina_viewer.networks.devices import resolve_device
    from retina_viewer.superres.back_projection import BLUR_DOUBT, BackProjected
    from retina_viewer.superres.cascade import load_cascade

    enhancer = load_cascade(model, scale, resolve_device(device), fidelity, blur)
    if not back_projection:
        return enhancer
    return BackProjected(enhancer, doubt=BLUR_DOUBT if blur is None else 0.0)


def _refuse_for_interpolation(method: Method, model: str | None, fidelity: float | None) -> None:
    if model is not None:
        raise UserError(
            f"{method.title} uses no model, but {model!r} was given.",
            "Leave the model out, or choose a method with a network.",
        )
    if fidelity is not None:
        raise UserError(
            f"{method.title} has no fidelity to choose.", "Leave it out, or choose a saliency GAN."
        )


def _pixel_trained(method: Method, model: str | None, fidelity: float | None) -> str:
    """The model of the method ``pixel``: the one named, or its twin where it is a GAN."""
    if fidelity not in (None, 1):
        raise UserError(
            f"{method.title} is fidelity 1; {fidelity:g} is not possible with it.",
            "Choose the method saliency-gan.",
        )
    card = find_model(model or default_model("superres"))
    return card.twin or card.name


def _gan(model: str | None) -> str:
    """The model of the method ``saliency-gan``: the one named, the default, or any installed."""
    if model is None:
        default = default_network("saliency-gan")
        if default is None:
            raise UserError("No saliency GAN is installed.", "Choose the method pixel.")
        return default.name
    if find_model(model).twin is None:
        installed = [card.name for card in list_models("superres") if card.twin is not None]
        known = ", ".join(installed) or "none"
        raise UserError(
            f"The model {model!r} is no saliency GAN: it has no pixel-trained twin.",
            f"Choose the method pixel, or one of the installed saliency GANs: {known}.",
        )
    return model
