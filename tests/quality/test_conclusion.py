"""The rule of the gate on outcomes made up for it."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retina_viewer.model_store.card import ModelCard, Values, Verdict
from retina_viewer.quality.conclusion import VERDICT_PATIENTS, conclude, holm, measures_of
from tests.untrained import NOTHING

BEFORE = {
    "psnr": 34.0, "lpips": 0.1, "ssim": 0.93, "vessel_dice": 0.85, "consistency": 0.8, "drift": 0.3
}  # fmt: skip


def card(name: str, *, twin: str | None = None, task: str = "superres") -> ModelCard:
    return ModelCard.model_validate(
        {
            "name": name,
            "version": "1",
            "title": name,
            "task": task,
            "architecture": "residual-cascade",
            "parameters": {},
            "weights_sha256": "a" * 64,
            "licence": "CC0-1.0",
            "training": NOTHING,
            "created": date(2026, 1, 2),
            "twin": twin,
            "fidelity": None if twin is None else 0.3,
        }
    )


def patients(count: int, at: int = 1, /, **gains: float | Sequence[float]) -> list[Values]:
    """One photograph a patient, ``psnr=0.3`` for all, ``psnr=[...]`` for each: tuned - base.

    Args:
        at: the first patient's number.
    """
    found = []
    for number in range(count):
        # Slightly different for every patient, so that ranks are not all tied.
        spread = 1 + 0.01 * number
        after = {
            name: value + spread * float(np.broadcast_to(gains.get(name, 0.0), count)[number])
            for name, value in BEFORE.items()
        }
        found.append(
            Values(
                photograph=f"{at}-{number}", patient=at + number, kernel="gaussian", scale=4,
                base=BEFORE, tuned=after,
            )
        )  # fmt: skip
    return found


def verdict(
    held_out: list[Values], general: Sequence[Values] = (), *, gan: bool = False
) -> Verdict:
    twin = "pixel" if gan else None
    return conclude(card("base", twin=twin), card("tuned", twin=twin), held_out, general)


def test_a_gain_of_all_patients_is_better() -> None:
    found = verdict(patients(8, psnr=0.4))
    assert found.conclusion == "better"
    lead = found.comparisons[0]
    assert (lead.metric, lead.leads, lead.improved, lead.worsened) == ("psnr", True, 8, 0)
    assert lead.p == pytest.approx(2 / 2**8)
    assert lead.effect == 1
    assert "rose by 0.41 dB" in found.sentences[1]
    assert "better for 8 of 8" in found.sentences[1]


def test_a_certain_gain_too_small_to_count_is_no_difference() -> None:
    found = verdict(patients(12, psnr=0.04))
    assert found.comparisons[0].p < 0.001
    assert found.conclusion == "no difference"


def test_a_gain_that_chance_explains_is_no_difference() -> None:
    found = verdict(patients(8, psnr=[2, -0.5, 1.5, -1, 0.9, -0.8, 1.2, -0.3]))
    assert found.comparisons[0].gain > 0.3
    assert found.conclusion == "no difference"


def test_nothing_changed_is_no_difference() -> None:
    found = verdict(patients(10))
    assert found.conclusion == "no difference"
    assert found.comparisons[0].p == 1
    assert "did not change" in found.sentences[1]


def test_a_loss_is_worse() -> None:
    found = verdict(patients(6, psnr=-0.2))
    assert found.conclusion == "worse"
    assert "worse for 6 of 6" in found.sentences[1]


def test_a_gain_does_not_pay_for_a_certain_loss_of_another_figure() -> None:
    found = verdict(patients(10, psnr=0.5, vessel_dice=-0.03))
    assert found.conclusion == "worse"
    assert any("does not pay" in sentence for sentence in found.sentences)
    assert any(sentence.startswith("Against it: agreement") for sentence in found.sentences)


def test_a_loss_that_only_correction_excuses_keeps_a_model_from_being_better() -> None:
    """With six patients p is 0.031 at best; corrected for five figures that is no certainty."""
    found = verdict(patients(6, psnr=0.5, drift=0.5))
    assert found.conclusion == "no difference"
    assert found.sentences[0].endswith("not better.")
    assert any("colour drift rose by 0.51 delta E" in sentence for sentence in found.sentences)


def test_a_loss_too_small_to_count_stands_against_nothing() -> None:
    assert verdict(patients(10, psnr=0.5, drift=0.1, ssim=-0.0009)).conclusion == "better"


def test_a_saliency_gan_is_judged_by_its_looks() -> None:
    """PSNR rises but LPIPS does not fall: nothing that a GAN is for."""
    assert measures_of(card("gan", twin="pixel"))[0].metric == "lpips"
    assert verdict(patients(8, psnr=0.5), gan=True).conclusion == "no difference"
    assert verdict(patients(8, lpips=-0.01), gan=True).conclusion == "better"
    assert verdict(patients(10, lpips=-0.01, psnr=-0.3), gan=True).conclusion == "worse"


@pytest.mark.parametrize("count", range(VERDICT_PATIENTS))
def test_with_too_few_patients_it_says_how_many_are_missing(count: int) -> None:
    found = verdict(patients(count, psnr=5.0))
    assert found.conclusion == "too few"
    assert found.more_patients_needed == VERDICT_PATIENTS - count
    if count:
        assert found.sentences[0].startswith("Too few patients to tell")
        assert f"hold out {VERDICT_PATIENTS - count} more" in found.sentences[0]
        assert "may be chance" in found.sentences[1]


def test_six_is_the_least_at_which_a_difference_can_be_told() -> None:
    assert verdict(patients(VERDICT_PATIENTS, psnr=0.5)).conclusion == "better"
    assert verdict(patients(VERDICT_PATIENTS, psnr=0.5)).comparisons[0].p < 0.05
    assert verdict(patients(VERDICT_PATIENTS - 1, psnr=0.5)).comparisons[0].p > 0.05


def test_photographs_of_one_patient_are_one_observation() -> None:
    """Forty photographs of two patients are two patients."""
    many = [one.model_copy(update={"patient": k % 2}) for k, one in enumerate(patients(40, psnr=1))]
    found = verdict(many)
    assert (found.conclusion, found.patients, found.photographs) == ("too few", 2, 40)
    assert found.comparisons[0].improved == 2


def test_forgetting_is_said_and_forbids_better() -> None:
    found = verdict(patients(8, psnr=0.4), patients(4, 100, psnr=-0.2))
    assert found.conclusion == "no difference"
    assert found.sentences[0].endswith("not better.")
    assert found.forgets
    assert "fell by 0.20 dB" in found.sentences[-1]
    assert "forgets" in found.sentences[-1]
    kept = verdict(patients(8, psnr=0.4), patients(4, 100, psnr=-0.04, lpips=0.004))
    assert (kept.conclusion, kept.forgets) == ("better", False)
    assert "nothing that counts was lost" in kept.sentences[-1]
    looks = verdict(patients(8, psnr=0.4), patients(4, 100, lpips=0.006))
    assert (looks.conclusion, looks.forgets) == ("better", True)


def test_one_camera_that_lost_forbids_better_whatever_the_others_gained() -> None:
    found = verdict(patients(8, psnr=0.4), patients(4, 100, psnr=[0.3, -0.06, 0.3, 0.3]))
    assert found.general[0].is_gain
    assert (found.conclusion, found.forgets) == ("no difference", True)
    assert "of one camera closeness" in found.sentences[-1]


def test_looks_do_not_pay_for_truth() -> None:
    """What was once called better: LPIPS a little lower, all that is fidelity worse in 5 of 6."""
    worse = {
        "psnr": [-0.06] * 5 + [0.2], "ssim": [-0.0011] * 5 + [0.002],
        "vessel_dice": [-0.006] * 5 + [0.01], "consistency": [0.02] * 5 + [-0.05],
    }  # fmt: skip
    for gain in (-0.0021, -0.02):
        found = verdict(patients(6, lpips=gain, **worse), patients(4, 100, psnr=-0.2), gan=True)
        assert found.conclusion != "better"


@pytest.mark.parametrize(
    ("figure", "size"),
    [("psnr", -0.05), ("ssim", -0.001), ("vessel_dice", -0.005), ("consistency", 0.02 * 0.8)],
)
def test_every_figure_of_fidelity_forbids_better_from_its_size(figure: str, size: float) -> None:
    """In the mean, also where chance explains it; and in over half of the patients."""
    gain = -0.02
    assert verdict(patients(8, lpips=gain, **{figure: 0.9 * size}), gan=True).conclusion == "better"
    mean = [9 * size, 9 * size, *[-1.5 * size] * 6]
    found = verdict(patients(8, lpips=gain, **{figure: mean}), gan=True)
    against = next(one for one in found.comparisons if one.metric == figure)
    assert against.p > 0.05
    assert found.conclusion == "no difference"
    assert any(text.startswith("Against it: ") for text in found.sentences)
    many = [*[1.1 * size] * 5, *[-5 * size] * 3]
    found = verdict(patients(8, lpips=gain, **{figure: many}), gan=True)
    against = next(one for one in found.comparisons if one.metric == figure)
    assert against.is_gain
    assert against.harmed == 5
    assert found.conclusion == "no difference"
    assert any("worse in 5 of 8 patients" in text for text in found.sentences)
    half = [*[1.1 * size] * 4, *[-5 * size] * 4]
    assert verdict(patients(8, lpips=gain, **{figure: half}), gan=True).conclusion == "better"


def test_patients_who_could_not_be_measured_do_not_count() -> None:
    unmeasured = [
        Values(
            photograph=f"small-{k}", patient=50 + k, kernel="gaussian", scale=4, base={}, tuned={}
        )
        for k in range(4)
    ]
    found = verdict([*patients(4, psnr=1.0), *unmeasured])
    assert (found.conclusion, found.patients, found.more_patients_needed) == ("too few", 4, 2)


def test_vessel_models_are_judged_by_dice() -> None:
    def values(patient: int) -> Values:
        after = {"dice": 0.82 + 0.001 * patient, "auc": 0.97}
        return Values(
            photograph=str(patient), patient=patient, base={"dice": 0.8, "auc": 0.97}, tuned=after
        )

    pair = card("a", task="vessels"), card("b", task="vessels")
    found = conclude(*pair, [values(k) for k in range(7)], [])
    assert found.conclusion == "better"
    assert [one.metric for one in found.comparisons] == ["dice", "auc"]


@given(st.lists(st.floats(-3, 3), min_size=6, max_size=12))
def test_swapping_the_models_swaps_the_conclusion(gains: list[float]) -> None:
    there = patients(len(gains), psnr=gains)
    back = [one.model_copy(update={"base": one.tuned, "tuned": one.base}) for one in there]
    opposite = {"better": "worse", "worse": "better", "no difference": "no difference"}
    assert verdict(back).conclusion == opposite[verdict(there).conclusion]


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_never_makes_a_probability_smaller_and_keeps_their_order(values: list[float]) -> None:
    corrected = holm(values)
    assert all(after >= before for before, after in zip(values, corrected, strict=True))
    order = sorted(range(len(values)), key=values.__getitem__)
    assert [corrected[k] for k in order] == sorted(corrected)


def test_holm_on_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_a_card_keeps_its_verdict_through_json() -> None:
    found = verdict(patients(8, psnr=0.4), patients(4, 100))
    kept = card("tuned").model_copy(update={"verdict": found})
    assert ModelCard.model_validate_json(kept.model_dump_json()).verdict == found
