"""Measurements as tables that can be read."""

import pytest

from retina_viewer.model_store.card import Measurement
from retina_viewer.model_store.store import find_model
from retina_viewer.ui.models.card_page import FIGURES, blocks_of


def measured(data: str, metric: str, value: float) -> Measurement:
    return Measurement(data=data, metric=metric, value=value, command="evaluate")


def test_a_row_a_set_and_a_column_a_figure_in_the_order_of_the_card() -> None:
    (block,) = blocks_of(
        [
            measured("DRIVE x2", "psnr", 45.143),
            measured("DRIVE x2", "ssim", 0.97366),
            measured("DRIVE x4", "psnr", 41.7),
        ]
    )
    assert [figure.short for figure in block.figures] == ["PSNR", "SSIM"]
    assert block.rows == (("DRIVE ×2", ("45.14", "0.9737")), ("DRIVE ×4", ("41.70", "")))


def test_figures_of_other_photographs_are_in_a_table_of_their_own() -> None:
    blocks = blocks_of(
        [
            measured("a", "psnr", 1),
            measured("b", "dice", 2),
            measured("c", "auc", 3),
            measured("d", "dice", 4),
            measured("d", "auc", 5),  # ties b and c together
        ]
    )
    assert [[data for data, _ in block.rows] for block in blocks] == [["a"], ["b", "c", "d"]]


def test_a_figure_that_is_not_known_has_its_name() -> None:
    (block,) = blocks_of([measured("a", "new_figure", 0.123456)])
    assert block.figures[0].short == "New figure"
    assert block.rows[0][1] == ("0.1235",)
    assert blocks_of([]) == []


@pytest.mark.parametrize("name", ["pixel", "saliency-gan-fast", "formation", "vessels-unet"])
def test_nothing_that_a_shipped_card_says_is_lost(name: str) -> None:
    measurements = find_model(name).measurements
    blocks = blocks_of(measurements)
    written = sum(bool(value) for block in blocks for _, row in block.rows for value in row)
    assert written == len({(one.data, one.metric) for one in measurements})
    assert {one.metric for one in measurements} <= FIGURES.keys()
