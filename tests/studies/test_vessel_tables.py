"""Tables 2 and 3 from records."""

import numpy as np
import pytest

from retina_viewer.quality.records import Record
from retina_viewer.quality.statistics import wilcoxon_p
from studies.vessel_tables import ORIGINALS, OWN, vessel_summary, vessel_tables


def record(photograph: int, scale: int, trained_on: str, method: str, dice: float) -> Record:
    return {
        "dataset": "DRIVE", "photograph": f"{photograph:02}", "kernel": "gaussian",
        "scale": scale, "trained_on": trained_on, "method": method, "dice": dice,
        "accuracy": 0.9 + dice / 100, "sensitivity": dice - 0.1, "precision": dice + 0.1,
    }  # fmt: skip


@pytest.fixture
def records() -> list[Record]:
    random = np.random.default_rng(0)
    made = [record(n, 1, "original", "original", 0.8) for n in range(7)]
    for scale in (4, 8):
        for n in range(7):
            base = 0.7 - 0.02 * scale + 0.01 * random.random()
            made += [
                record(n, scale, "gan", "gan", base),
                record(n, scale, "original", "gan", base),
            ]
            made.append(record(n, scale, "pixel", "pixel", base + 0.01 + 0.001 * n))
    return made


def test_means_spreads_and_p_are_of_the_same_photographs(records: list[Record]) -> None:
    rows = {(r["scale"], r["trained_on"], r["method"]): r for r in vessel_summary(records, "gan")}
    assert set(rows) == {
        (1, ORIGINALS, "original"), (4, OWN, "gan"), (4, ORIGINALS, "gan"), (4, OWN, "pixel"),
        (8, OWN, "gan"), (8, ORIGINALS, "gan"), (8, OWN, "pixel"),
    }  # fmt: skip
    gan, pixel = (
        [float(r["dice"]) for r in records if (r["scale"], r["trained_on"]) == (4, name)]
        for name in ("gan", "pixel")
    )
    assert rows[4, OWN, "pixel"]["dice"] == pytest.approx(np.mean(pixel))
    assert rows[4, OWN, "pixel"]["dice_sd"] == pytest.approx(np.std(pixel, ddof=1))
    assert rows[4, OWN, "pixel"]["p"] == wilcoxon_p(gan, pixel) == 2 / 2**7
    assert "p" not in rows[4, OWN, "gan"] and "p" not in rows[1, ORIGINALS, "original"]


def test_a_method_measured_on_fewer_photographs_is_compared_on_those(
    records: list[Record],
) -> None:
    fewer = [r for r in records if r["method"] != "pixel" or r["photograph"] in ("03", "05")]
    rows = [r for r in vessel_summary(fewer, "gan") if r["method"] == "pixel"]
    assert [(r["n"], r["p"]) for r in rows] == [(2, 0.5), (2, 0.5)]


def test_table_3_is_of_x4(records: list[Record]) -> None:
    tables = vessel_tables(records, "gan", "600", (2, 3))
    assert {row["scale"] for row in tables[2].rows} == {1, 4, 8}
    assert {row["scale"] for row in tables[3].rows} == {1, 4}
    text = tables[3].to_markdown()
    assert all(word in text for word in ("precision", "recall", "F1", "600 steps"))
    assert list(vessel_tables(records, "gan", "600", (3,))) == [3]
