"""Whether a model can do what its card says, beyond loading."""

from typing import Any

import torch
from torch import nn

from retina_viewer.core.errors import UserError
from retina_viewer.model_store.card import ModelCard, TaskName
from retina_viewer.networks.architectures import build
from retina_viewer.networks.fitted_arrays import LinearFilters, RegressionForests
from retina_viewer.networks.generator_cascade import GeneratorCascade

ARCHITECTURES_OF: dict[TaskName, tuple[str, ...]] = {
    "superres": ("residual-cascade", "linear-filters", "regression-forests"),
    "formation": ("formation-estimator",),
    "vessels": ("unet",),
}
LARGEST_NUMBER = 1024
LARGEST_FOREST = 1 << 17
"""In the parameters of forests, which count the nodes of their trees."""
MOST_NUMBERS = 64
"""In an architecture's parameters; the largest network of this program has 16 maps of 512."""
FIELD_DIAMETERS = range(64, 4097)
"""Working resolutions of vessel models, px across the field of view."""
_HINT = "Do not use it; get it again from where it came from."


def check_fits_task(card: ModelCard, network: nn.Module) -> None:
    """Refuse a card that promises what its network does not do. Raises UserError: another task's
    architecture; scales or margins that are not the network's; vessels without a working resolution
    or threshold.
    """
    _check_architecture(card)
    if card.task == "superres":
        assert isinstance(network, GeneratorCascade | LinearFilters | RegressionForests)
        if (card.scales, card.margins) != (network.scales, network.margins):
            raise UserError(
                f"The card of the model {card.name!r} names scales or margins that its network "
                "does not have.",
                _HINT,
            )
    if card.task == "vessels":
        threshold, diameter = card.threshold, card.field_diameter
        if threshold is None or not 0 < threshold < 1 or diameter not in FIELD_DIAMETERS:
            raise UserError(
                f"The card of the vessel model {card.name!r} lacks a threshold between 0 and 1 or "
                f"a working resolution of {FIELD_DIAMETERS[0]} to {FIELD_DIAMETERS[-1]} px.",
                _HINT,
            )


def check_finite(card: ModelCard, network: nn.Module) -> None:
    """Refuse weights that are no numbers. Raises UserError: one of them is infinite or not a
    number.
    """
    for name, value in network.state_dict().items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise UserError(
                f"The weights of {card.name!r} are not all numbers: {name} holds infinity or NaN.",
                _HINT,
            )


def weight_bytes(card: ModelCard) -> int:
    """How many bytes the weights of a card's architecture take, without making them. Raises
    UserError: the architecture is not known or not that of the task, or its parameters do not fit
    it, make no network, or are beyond anything of this program.
    """
    _check_architecture(card)
    numbers = list(_numbers(card.parameters))
    largest = LARGEST_FOREST if card.architecture == "regression-forests" else LARGEST_NUMBER
    if len(numbers) > MOST_NUMBERS or any(abs(number) > largest for number in numbers):
        raise UserError(
            f"The network of the model {card.name!r} is larger than any of this program.", _HINT
        )
    try:
        with torch.device("meta"):  # shapes alone: nothing is allocated
            network = build(card.architecture, card.parameters)
    except (RuntimeError, ArithmeticError, TypeError, IndexError) as error:
        raise UserError(
            f"The network of the model {card.name!r} cannot be built.", _HINT
        ) from error
    return sum(value.numel() * value.element_size() for value in network.state_dict().values())


def _check_architecture(card: ModelCard) -> None:
    wanted = ARCHITECTURES_OF[card.task]
    if card.architecture not in wanted:
        raise UserError(
            f"The model {card.name!r} is for {card.task!r}, but of the architecture "
            f"{card.architecture!r} and not {' or '.join(map(repr, wanted))}.",
            _HINT,
        )


def _numbers(value: Any) -> "list[float]":
    """All numbers in parameters, however deep."""
    if isinstance(value, dict):
        return [number for item in value.values() for number in _numbers(item)]
    if isinstance(value, list | tuple):
        return [number for item in value for number in _numbers(item)]
    return [float(value)] if isinstance(value, int | float) else []
