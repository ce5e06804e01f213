import json
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from retina_viewer import __version__
from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.provenance import AI_STATEMENT, Kind, Provenance, Region


def example(**changes: object) -> Provenance:
    values: dict[str, object] = {
        "kind": "super-resolution",
        "method": "pixel",
        "model": "sr-pixel",
        "model_sha256": "ab" * 32,
        "scale": 4,
        "device": "CPU",
        "source_name": "Auge 眼.png",
        "source_sha256": "cd" * 32,
        "source_width": 565,
        "source_height": 584,
    }
    return Provenance.model_validate({**values, **changes})


def test_text_and_back() -> None:
    provenance = example(
        fidelity=0.5,
        blur=0.42,
        noise=0.29,
        back_projection=1.0,
        region=Region.of(Rect(3, 4, 50, 60)),
        precision="bfloat16",
    )
    assert Provenance.model_validate_json(provenance.to_json()) == provenance


def test_the_text_is_plain_json_with_all_that_is_known() -> None:
    text = example().to_json()
    assert text.isascii()
    values = json.loads(text)
    assert values["source_name"] == "Auge 眼.png"
    assert values["version"] == __version__
    assert values["program"] == "Retina Viewer"
    assert values["statement"] == AI_STATEMENT
    assert "fidelity" not in values


def test_created_is_now_in_utc() -> None:
    created = example().created
    assert created.tzinfo == UTC
    assert abs(datetime.now(UTC) - created) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("kind", "model", "words"),
    [
        ("super-resolution", "sr-pixel", "AI-enhanced, for research use. Verify on the original."),
        ("super-resolution", None, "Interpolated"),
        ("vessels", "unet", "Made by a neural network"),
        ("saliency", None, "fixed formula"),
    ],
)
def test_the_statement_says_who_made_it(kind: Kind, model: str | None, words: str) -> None:
    statement = example(kind=kind, model=model).statement
    assert statement.startswith(words) or words in statement
    assert ("Verify on the original." in statement) == (model is not None)


def test_what_was_wrong_with_the_source_stays_with_the_result() -> None:
    first = example(source_name="Mustermann.png")
    again = example(source_damage="its end is missing", source_made_by=first, source_page=1)
    assert again.statement.endswith(
        "Its source was made by AI already. Its source is damaged: its end is missing."
    )
    assert Provenance.from_json(again.to_json()) == again
    assert "Mustermann" not in again.deidentified().to_json()


def test_what_was_learned_is_ai_with_or_without_a_model() -> None:
    """A linear filter has a model and invents nothing; self super-resolution learns without one."""
    linear = example(method="linear", model="linear", learned=False)
    assert (linear.label, linear.is_ai) == ("INTERPOLATED ×4", False)
    own = example(method="ssr", model=None, learned=True)
    assert (own.label, own.is_ai) == ("AI-ENLARGED ×4", True)
    assert own.statement == AI_STATEMENT
    assert example().label == "AI-ENLARGED ×4"  # as earlier versions wrote it


def test_without_the_name_nothing_names_the_patient() -> None:
    plain = example(source_name="Mustermann.png").deidentified()
    assert "Mustermann" not in plain.to_json()
    assert plain.source_sha256 == "cd" * 32


@pytest.mark.parametrize(
    "changes",
    [
        {"scale": 0},
        {"fidelity": 1.5},
        {"blur": -0.1},
        {"noise": -1},
        {"back_projection": 1.1},
        {"kind": "magic"},
        {"source_width": 0},
        {"created": "2026-01-01T00:00:00"},  # without a time zone
        {"region": {"x": 0, "y": 0, "width": 0, "height": 4}},
    ],
    ids=str,
)
def test_impossible_values_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        example(**changes)
