"""Learning curves as drawn: every quantity, its own scale, up is better for all metrics."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from retina_viewer.cli import main
from retina_viewer.core.errors import UserError
from retina_viewer.ui.theme import DARK, LIGHT, apply_theme
from retina_viewer.ui.widgets.learning_curves import (
    CurvePlot,
    LearningCurves,
    render_curves,
    round_ticks,
    value_range,
)
from retina_viewer.ui.widgets.learning_history import Curve, LearningHistory


def history(points: int = 40) -> LearningHistory:
    found = LearningHistory()
    for number in range(1, points + 1):
        step = 50.0 * number
        found.add(0, {"step": step, "generator/pixel": 1 / number, "generator/cnn": 2 / number})
    found.add(0, {"step": 1000.0, "lpips": 0.30, "psnr_gaussian": 40.0, "score": -0.30})
    found.add(0, {"step": 2000.0, "lpips": 0.20, "psnr_gaussian": 41.0, "score": -0.20})
    found.add(1, {"step": 50.0, "generator/pixel": 0.5})
    return found


@pytest.fixture
def curves(qtbot: QtBot) -> LearningCurves:
    widget = LearningCurves()
    qtbot.addWidget(widget)
    widget.show_history(history())
    return widget


def test_every_quantity_of_every_stage_has_a_plot(curves: LearningCurves) -> None:
    for name in ("generator/pixel", "generator/cnn", "lpips", "psnr_gaussian", "score"):
        assert curves.plot_of(0, name).accessibleName()
    assert curves.plot_of(1, "generator/pixel").accessibleName()
    with pytest.raises(KeyError):
        curves.plot_of(1, "lpips")


def test_up_is_better_also_where_less_is(curves: LearningCurves) -> None:
    for name, lower_is_drawn_higher in (
        ("lpips", True),
        ("psnr_gaussian", False),
        ("generator/pixel", False),
    ):
        chart = curves.plot_of(0, name).chart
        chart.resize(200, 120)
        assert (chart.place(1, 0.2).y() < chart.place(1, 0.3).y()) is lower_is_drawn_higher


def test_curves_grow_in_their_plots(curves: LearningCurves) -> None:
    before = curves.plot_of(0, "generator/pixel")
    before.chart.resize(200, 120)
    assert before.chart.place(5000, 0.01).x() > before.chart.area.right()
    longer = history()
    longer.add(0, {"step": 5000.0, "generator/pixel": 0.01})
    longer.add(2, {"step": 50.0, "generator/pixel": 0.7})
    curves.show_history(longer)
    assert curves.plot_of(0, "generator/pixel") is before
    assert before.chart.place(5000, 0.01).x() < before.chart.area.right()
    assert curves.plot_of(2, "generator/pixel") is not None


def test_a_curve_ends_within_its_plot_however_long_its_title(
    qtbot: QtBot, curves: LearningCurves
) -> None:
    curves.resize(800, curves.wanted_height)
    curves.show()
    qtbot.waitExposed(curves)
    chart = curves.plot_of(0, "psnr_gaussian").chart
    area = chart.area
    assert chart.width() > area.right() > chart.width() - 30
    assert area.width() > 60
    assert area.left() < chart.place(1000, 40.0).x() < chart.place(2000, 41.0).x() < area.right()


def test_a_theme_changes_the_ground(curves: LearningCurves, qapp: QApplication) -> None:
    chart = curves.plot_of(0, "lpips").chart
    for name, tokens in (("light", LIGHT), ("dark", DARK)):
        assert apply_theme(qapp, name) == tokens
        assert chart.grab().toImage().pixelColor(1, 1).name() == tokens.panel


def test_a_spike_does_not_flatten_a_loss_and_little_change_looks_level() -> None:
    steps = np.arange(200.0)
    loss = np.linspace(0.3, 0.2, 200)
    loss[3] = 50
    assert value_range(Curve("generator/pixel", steps, loss, None))[1] < 0.31
    low, high = value_range(Curve("psnr_gaussian", steps, np.full(200, 40.0), None))
    assert high - low == pytest.approx(0.08)
    assert (low + high) / 2 == pytest.approx(40.0)


@given(st.floats(-1e3, 1e3), st.floats(1e-5, 1e4))
def test_ticks_are_few_round_and_within(low: float, span: float) -> None:
    ticks = round_ticks(low, low + span)
    assert 2 <= len(ticks) <= 6
    for value, text in ticks:
        assert low - 1e-6 * span <= value <= low + span * (1 + 1e-6)
        assert float(text.replace(",", "")) == pytest.approx(value, abs=span * 1e-3)
    assert len({text for _, text in ticks}) == len(ticks)


def test_the_command_draws_them_into_a_picture(
    tmp_path: Path, qapp: object, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "history.json").write_text(json.dumps(history().stages))
    out = tmp_path / "curves.png"
    assert main(["models", "curves", str(tmp_path), "-o", str(out), "--theme", "light"]) == 0
    with Image.open(out) as picture:
        assert picture.width >= 1000
        colours = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    accent = [int(LIGHT.accent[at : at + 2], 16) for at in (1, 3, 5)]
    assert (np.abs(colours.astype(int) - accent).sum(axis=1) < 12).sum() > 200  # lines are drawn
    assert main(["models", "curves", str(tmp_path), "-o", str(tmp_path / "curves.jpg")]) == 1
    assert ".png" in capsys.readouterr().err


def test_what_is_drawn_already_is_not_drawn_again(
    qtbot: QtBot, curves: LearningCurves, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(CurvePlot, "show_curve", lambda self, curve: drawn.append(curve.name))
    curves.show_history(history())
    assert drawn == []
    longer = history()
    longer.add(1, {"step": 100.0, "generator/pixel": 0.4})
    curves.show_history(longer)
    assert drawn == ["generator/pixel"]


def test_a_training_that_has_just_begun_has_no_curves(tmp_path: Path, qapp: object) -> None:
    (tmp_path / "history.json").write_text("[[]]")
    with pytest.raises(UserError, match="not written anything"):
        render_curves(tmp_path, tmp_path / "x.png")


def test_steps_below_a_plot_are_few_enough_not_to_touch() -> None:
    assert [text for _, text in round_ticks(0, 2000, 2)] == ["0", "1,000", "2,000"]
    assert [text for _, text in round_ticks(0, 700, 2)] == ["0", "500"]
    assert [text for _, text in round_ticks(0, 44, 2)] == ["0", "20", "40"]  # not 0 alone
