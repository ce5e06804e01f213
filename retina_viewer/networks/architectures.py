"""Every architecture that a model card may name, in one literal table."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from torch import nn

from retina_viewer.core.errors import UserError
from retina_viewer.networks.degradation_estimator import DegradationEstimator
from retina_viewer.networks.fitted_arrays import ForestParameters, LinearFilters, RegressionForests
from retina_viewer.networks.generator_cascade import AnyStepParameters, GeneratorCascade
from retina_viewer.networks.unet import UNet


class CascadeParameters(BaseModel, frozen=True, extra="forbid"):
    steps: tuple[AnyStepParameters, ...]


class UNetParameters(BaseModel, frozen=True, extra="forbid"):
    inputs: int = 3
    widths: tuple[int, ...] = (16, 32, 64, 128)
    dropout: float = 0.1


class EstimatorParameters(BaseModel, frozen=True, extra="forbid"):
    units: int = 64


class LinearParameters(BaseModel, frozen=True, extra="forbid"):
    scales: tuple[Literal[2, 4, 8, 16], ...]


ARCHITECTURES: dict[str, tuple[type[BaseModel], Callable[..., nn.Module]]] = {
    "residual-cascade": (CascadeParameters, lambda p: GeneratorCascade(p.steps)),
    "formation-estimator": (EstimatorParameters, lambda p: DegradationEstimator(p.units)),
    "unet": (UNetParameters, lambda p: UNet(p.inputs, p.widths, p.dropout)),
    "linear-filters": (LinearParameters, lambda p: LinearFilters(p.scales)),
    "regression-forests": (ForestParameters, RegressionForests),
}


def build(name: str, parameters: dict[str, Any]) -> nn.Module:
    """A freshly initialised network. Raises UserError: the name is not known, or the parameters do
    not fit it.
    """
    if name not in ARCHITECTURES:
        raise UserError(
            f"The architecture {name!r} is not known to this version.",
            f"Known: {', '.join(ARCHITECTURES)}. A newer version of the program may know it.",
        )
    try:
        described, make = ARCHITECTURES[name]
        return make(described.model_validate(parameters))
    except ValidationError as error:
        faults = [_in_words(one) for one in error.errors()]
        raise UserError(
            f"The parameters of the architecture {name!r} do not fit: {', '.join(faults[:4])}.",
            "A newer version of the program may know it; else get the model again.",
        ) from error
    except ValueError as error:
        raise UserError(
            f"The parameters of the architecture {name!r} do not fit: {error}"
        ) from error


def _in_words(fault: ErrorDetails) -> str:
    """Where something does not fit, and why."""
    why = fault["msg"]
    if fault["type"].startswith("union_tag"):
        why = f"no kind that is known to this version: {fault.get('ctx', {}).get('tag', '')!r}"
    return f"{'.'.join(map(str, fault['loc']))} ({why})"
