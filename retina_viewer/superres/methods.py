"""The methods a person can choose, by name."""

from collections.abc import Callable
from dataclasses import dataclass

from retina_viewer.core.errors import UserError
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
"""In the order of the chooser; the first is the default."""

DEFAULT_METHOD = METHODS[0].id

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


def make_enhancer(
    method: str, scale: int, *, model: str | None = None, device: str = "auto"
) -> Enhancer:
    """An enhancer ready for use: weights loaded, device chosen.

    Args:
        method: one of :data:`METHODS`.
        scale: 2, 4, 8 or 16.
        model: a model's name; None for the method's shipped one.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        UserError: unknown method, scale, model or device; or a model given to an interpolation.
    """
    chosen = find_method(method)
    if scale not in chosen.scales:
        offered = ", ".join(f"x{one}" for one in chosen.scales)
        raise UserError(f"{chosen.title} cannot enlarge by x{scale}.", f"Choose one of {offered}.")
    if method in _INTERPOLATIONS:
        if model is not None:
            raise UserError(
                f"{chosen.title} uses no model, but {model!r} was given.",
                "Leave the model out, or choose a method with a network.",
            )
        return _INTERPOLATIONS[method](scale)
    # Loading torch takes seconds; interpolation and --help do without it.
    from retina_viewer.networks.devices import resolve_device
    from retina_viewer.superres.cascade import load_cascade

    return load_cascade(model, scale, resolve_device(device))
