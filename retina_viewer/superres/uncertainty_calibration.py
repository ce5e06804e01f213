"""From features to an expected error: fitted once a model and scale, kept beside its weights.

The score of a source pixel is ``sum_k w_k log(f_k + floor)`` over the planes ``f_k`` of
:func:`~retina_viewer.superres.uncertainty.uncertainty_features`, each averaged over the window in
which errors are compared, with weights ``w_k >= 0``: more of any feature never means less error.
A rising piecewise linear curve turns the score into grey levels. See docs/decisions/uncertainty.md.
"""

import json
from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError, model_validator

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.model_store.card import ModelCard

Plane = NDArray[np.float32]
"""``(H, W)`` float32."""

CALIBRATION_FILE = "consistency.json"
FLOOR = 0.05
"""Grey levels: below this, differences of features are rounding."""
SMALLEST_WINDOW = 8
"""Result pixels."""


def window_of(scale: int) -> int:
    """The side, in source pixels, of the window in which errors and features are averaged: the
    smallest odd number that spans at least 8 result pixels."""
    return -(-SMALLEST_WINDOW // scale) | 1


def windowed(plane: Plane, scale: int) -> Plane:
    """The mean of ``(H, W)`` over the window around every source pixel, reflected at the border."""
    side = window_of(scale)
    if side == 1:
        return plane
    mean = cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT)
    return np.asarray(mean, np.float32)


class ScaleCalibration(BaseModel, frozen=True, extra="forbid"):
    """How the features at one scale are read."""

    weights: dict[str, float] = Field(description="by the name of the feature; 0 or more")
    scores: tuple[float, ...] = Field(min_length=2, description="knots of the curve, rising")
    errors: tuple[float, ...] = Field(min_length=2, description="grey levels at the knots")

    @model_validator(mode="after")
    def _rises(self) -> "ScaleCalibration":
        if len(self.scores) != len(self.errors):
            raise ValueError("as many scores as errors")
        if np.any(np.diff(self.scores) <= 0) or np.any(np.diff(self.errors) < 0):
            raise ValueError("the curve must rise")
        if min(self.weights.values(), default=0.0) < 0 or self.errors[0] < 0:
            raise ValueError("weights and errors are 0 or more")
        return self

    def score(self, planes: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """The weighted sum of logarithms; a feature that is missing counts as 0."""
        there = {name: weight for name, weight in self.weights.items() if name in planes}
        if not there:
            raise ValueError("none of the calibration's features is there")
        nothing = float(np.log(FLOOR))
        missing = sum(w * nothing for name, w in self.weights.items() if name not in planes)
        logs = (
            np.float32(w) * np.log(planes[name] + np.float32(FLOOR)) for name, w in there.items()
        )
        return np.asarray(reduce(np.add, logs) + np.float32(missing), np.float32)

    def expected_error(self, planes: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Grey levels, float32, of the planes' shape; flat beyond the first and the last knot."""
        return np.interp(self.score(planes), self.scores, self.errors).astype(np.float32)


class Calibration(BaseModel, frozen=True, extra="forbid"):
    """What :data:`CALIBRATION_FILE` beside a model's weights holds."""

    model: str
    weights_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    scales: dict[int, ScaleCalibration]
    provenance: dict[str, Any] = {}

    def at(self, scale: int) -> ScaleCalibration:
        """Of one scale. Raises UserError: it was not fitted."""
        if scale not in self.scales:
            raise UserError(
                f"The uncertainty map of {self.model!r} is not calibrated for x{scale}.", _HINT
            )
        return self.scales[scale]


_HINT = "Fit it with: python -m studies evaluate consistency DATA --fit --model NAME."


def read_calibration(card: ModelCard) -> Calibration:
    """The calibration of a model. Raises UserError: it has none, or one that was fitted to other
    weights."""
    path = _file(card)
    try:
        calibration = Calibration.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(
            f"The uncertainty map of {card.name!r} has not been calibrated.", _HINT
        ) from error
    except ValidationError as error:
        raise UserError(f"The calibration of {card.name!r} is not valid.", _HINT) from error
    if calibration.weights_sha256 != card.weights_sha256:
        raise UserError(
            f"The uncertainty map of {card.name!r} was calibrated for other weights.", _HINT
        )
    return calibration


def save_calibration(calibration: Calibration, card: ModelCard) -> Path:
    """Write a calibration beside the weights it belongs to, in place of an older one. Raises
    UserError: the model's folder cannot be written."""
    path = _file(card)
    text = json.dumps(calibration.model_dump(mode="json"), indent=1)
    with atomic_write(path, replace=True) as stream:
        stream.write(text.encode() + b"\n")
    return path


def _file(card: ModelCard) -> Path:
    if card.directory is None:
        raise ValueError("this card was not read from a model folder")
    return card.directory / CALIBRATION_FILE
