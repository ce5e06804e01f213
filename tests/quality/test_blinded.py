"""Blinded pairs: who stands where, and what answers say."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.field_of_view import find_field_of_view
from retina_viewer.quality.blinded import Answer, Pair, Side, binomial_p, make_pairs, score
from retina_viewer.quality.datasets import Photograph
from tests.untrained import add_cascade


@pytest.fixture
def photographs(samples: Path) -> list[Photograph]:
    return [
        Photograph("own", name, name, samples / name)
        for name in ("chase_14L.jpg", "fives_28_A.png")
    ]


@pytest.mark.slow
def test_pairs_show_one_place_by_both_models_on_random_sides(
    photographs: list[Photograph],
) -> None:
    """Interpolation is closer to the truth than random patterns: so the sides can be told."""
    base, tuned = add_cascade("base"), add_cascade("tuned", strength=0.0)
    pairs = make_pairs(base, tuned, photographs, scale=2, count=12, side=48, device="cpu")
    assert len(pairs) == 12
    assert {pair.tuned for pair in pairs} == {"left", "right"}
    for pair in pairs:
        assert pair.left.shape == pair.right.shape == pair.truth.shape == (48, 48, 3)
        close = {
            side: np.abs(getattr(pair, side).astype(float) - pair.truth).mean()
            for side in ("left", "right")
        }
        assert min(close, key=lambda side: close[side]) == pair.tuned
        assert find_field_of_view(pair.truth).is_whole_image  # no black corner to judge by
    again = make_pairs(base, tuned, photographs, scale=2, count=12, side=48, device="cpu")
    assert all(np.array_equal(a.left, b.left) for a, b in zip(pairs, again, strict=True))
    assert [a.tuned for a in pairs] == [b.tuned for b in again]


def test_a_photograph_smaller_than_a_crop_is_shown_whole(
    photographs: list[Photograph], tmp_path: Path
) -> None:
    from PIL import Image

    small = tmp_path / "small.png"
    Image.fromarray(photographs[0].read_rgb()[400:460, 400:470]).save(small)
    card = add_cascade("base")
    (pair,) = make_pairs(
        card, card, [Photograph("own", "s", "s", small)], scale=4, count=1, device="cpu"
    )
    assert pair.truth.shape == (60, 60, 3)
    assert np.array_equal(pair.left, pair.right)


def test_without_photographs_there_is_nothing_to_compare() -> None:
    card = add_cascade("base")
    with pytest.raises(UserError, match="no held-out photograph"):
        make_pairs(card, card, [], scale=2)


def times(answer: Answer, count: int) -> list[Answer]:
    return [answer] * count


def pairs_of(sides: list[Side]) -> list[Pair]:
    crop = np.zeros((1, 1, 3), np.uint8)
    return [Pair(crop, crop, crop, side) for side in sides]


def test_answers_are_counted_by_model_not_by_side() -> None:
    pairs = pairs_of(["left", "right", "left", "right", "right"])
    found = score(pairs, ["left", "right", "right", "same"])
    assert (found.tuned, found.base, found.undecided) == (2, 1, 1)
    assert found.sentence.startswith("You preferred the tuned model in 2 of 3, and saw no")
    with pytest.raises(ValueError, match="answers"):
        score(pairs[:1], ["left", "left"])


def test_the_sentence_says_what_chance_explains() -> None:
    pairs = pairs_of(["left"] * 20)
    found = score(pairs, times("left", 14) + times("right", 6))
    assert found.sentence == (
        "You preferred the tuned model in 14 of 20: which may be chance (p = 0.12)."
    )
    sure = score(pairs, times("right", 18) + times("left", 2))
    assert sure.sentence.startswith("You preferred the base model in 18 of 20: more than chance")
    assert score(pairs, times("left", 5) + times("right", 5)).sentence == (
        "You preferred each model in 5 of 10."
    )
    assert score(pairs, times("same", 20)).sentence == "You preferred neither model."
    assert score(pairs, []).p == 1


def test_the_binomial_test_is_scipys() -> None:
    for trials in range(1, 21):
        for successes in range(trials + 1):
            expected = binomtest(successes, trials).pvalue
            assert binomial_p(successes, trials) == pytest.approx(expected)
