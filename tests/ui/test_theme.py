"""Text can be read: contrast of at least 4.5 : 1 (WCAG 2.2, success criterion 1.4.3)."""

import pytest

from retina_viewer.ui.theme import DARK, LIGHT, Tokens, style_sheet


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_contrast(tokens: Tokens) -> None:
    for ground in (tokens.window, tokens.panel, tokens.raised, tokens.pressed):
        assert contrast(tokens.text, ground) >= 4.5
    for ground in (tokens.window, tokens.panel, tokens.raised):
        assert contrast(tokens.dim, ground) >= 4.5
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5
    assert contrast(tokens.on_amber, tokens.amber) >= 4.5
    assert contrast(tokens.red, tokens.red_ground) >= 4.5
    assert contrast(tokens.accent, tokens.panel) >= 3  # focus frames


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_greys_are_neutral_and_every_token_is_filled_in(tokens: Tokens) -> None:
    for grey in (tokens.window, tokens.panel, tokens.raised, tokens.canvas, tokens.border):
        assert grey[1:3] == grey[3:5] == grey[5:7]
    assert "$" not in style_sheet(tokens)
