"""Devices have real names, and what is not there is refused."""

import pytest
import torch

from retina_viewer.core.errors import UserError
from retina_viewer.networks.devices import available_devices, resolve_device


def test_the_processor_is_always_there_and_named() -> None:
    last = available_devices()[-1]
    assert last.id == "cpu"
    assert len(last.name) > len("(CPU)")


def test_auto_is_the_first_device() -> None:
    assert resolve_device("auto") == torch.device(available_devices()[0].id)


@pytest.mark.parametrize("wanted", ["cuda:99", "tpu"])
def test_a_missing_device_is_refused(wanted: str) -> None:
    with pytest.raises(UserError):
        resolve_device(wanted)
