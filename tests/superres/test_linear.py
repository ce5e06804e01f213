"""The linear filter that ships: it deconvolves, and any region is the crop of the whole."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.core.paths import shipped_models_dir
from retina_viewer.imaging.degradation import degrade, to_8bit
from retina_viewer.model_store.card import read_card
from retina_viewer.model_store.store import find_model, verify_model
from retina_viewer.networks.fitted_arrays import LinearFilters
from retina_viewer.superres.enhance_settings import SCALES
from retina_viewer.superres.linear import load_linear
from tests.superres.truths import Truths, gain_over_sharp_bicubic


@pytest.mark.parametrize(("scale", "least"), [(2, 0.6), (4, 0.5)])
def test_it_is_better_than_bicubic_on_blurred_photographs(
    truths: Truths, scale: int, least: float
) -> None:
    for truth in truths:
        assert gain_over_sharp_bicubic(load_linear("linear", scale), truth) > least


@settings(max_examples=25)
@given(
    scale=st.sampled_from(SCALES),
    x=st.integers(0, 30), y=st.integers(0, 20), width=st.integers(1, 40), height=st.integers(1, 30),
)  # fmt: skip
def test_a_region_is_the_crop_of_the_whole(
    photograph: NDArray[np.uint8], scale: int, x: int, y: int, width: int, height: int
) -> None:
    rgb = photograph[:25, :33].astype(np.float32) / np.float32(255)
    whole = Rect(0, 0, 33, 25)
    region = Rect(x, y, width, height).intersected(whole)
    enhancer = load_linear("linear", scale)
    expected = enhancer.enhance_region(rgb, whole)[region.scaled(scale).slices()]
    np.testing.assert_allclose(enhancer.enhance_region(rgb, region), expected, atol=2e-6)


def test_the_network_that_checks_the_weights_does_the_same(photograph: NDArray[np.uint8]) -> None:
    import torch

    from retina_viewer.model_store.store import load_network

    card = find_model("linear")
    verify_model(card)
    network = load_network(card)
    assert isinstance(network, LinearFilters)
    grey = photograph[..., 1].astype(np.float32) / np.float32(255)
    made = network(torch.from_numpy(grey)[None, None], 2)[0, 0].numpy()
    whole = Rect(4, 4, grey.shape[1] - 8, grey.shape[0] - 8)
    ours = load_linear(card, 2).enhance_region(np.dstack([grey] * 3), whole)
    np.testing.assert_allclose(ours[..., 0], made, atol=1e-5)


def test_what_is_no_linear_filter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no linear filter"):
        load_linear("pixel-fast", 2)
    with pytest.raises(UserError, match=r"cannot enlarge by x3.*"):
        load_linear("linear", 3)
    folder = tmp_path / "linear"
    shutil.copytree(shipped_models_dir() / "linear", folder)
    content = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    content["weights_sha256"] = "0" * 64
    (folder / "card.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UserError, match="not those its card names"):
        load_linear(read_card(folder), 2)


def test_it_does_not_invent_what_is_not_there() -> None:
    """A flat image stays flat; a ramp stays a ramp, where nothing is reflected."""
    ramp = np.broadcast_to(np.linspace(0.2, 0.8, 40, dtype=np.float32)[None, :, None], (40, 40, 3))
    small = to_8bit(degrade(np.ascontiguousarray(ramp), 2)).astype(np.float32) / np.float32(255)
    made = load_linear("linear", 2).enhance_region(small, Rect(6, 6, 8, 8))
    np.testing.assert_allclose(made, ramp[12:28, 12:28], atol=1.5 / 255)
