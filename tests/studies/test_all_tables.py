"""The long comparison on tiny sets: what is written, how it goes on, what it refuses."""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from retina_viewer.core.errors import Cancelled, UserError
from studies.all_tables import Tables, write_page
from studies.comparison import METHODS, Comparison, photographs_below
from studies.report import read_results
from tests.studies.dark_vessels import CountingTrainer

ASKED = Tables(
    scales=(4,), methods=("bicubic", "lanczos"), kernels=("gaussian",), protocols=("native",),
    sets=("CHASE_DB1",), perceptual=False, device="cpu",
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def dark() -> Iterator[None]:
    """Networks that are not trained."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tables, "trainer", lambda self: CountingTrainer())
        yield


def files(out: Path) -> dict[str, bytes]:
    """What a reader sees; the logs may hold lines in another order."""
    kinds = ("*.md", "*.csv", "plots/*.png")
    return {path.name: path.read_bytes() for kind in kinds for path in out.glob(kind)}


@pytest.fixture(scope="module")
def measured(dark: None, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out: Path = tmp_path_factory.mktemp("tables") / "deep" / "results"
    replace(ASKED, data=(data,), out=out).measure()
    return out


@pytest.mark.slow
def test_every_table_is_written_with_what_it_rests_on(measured: Path) -> None:
    for number in (1, 2, 3):
        for suffix in (".md", ".csv", "_per_image.csv", ".json"):
            assert (measured / f"table{number}{suffix}").stat().st_size > 100
    results = read_results(measured)
    assert len(results[1].records) == 4 and len(results[2].records) == 10
    about = results[2].provenance
    assert about["networks"] == "dark-5"
    assert about["halves"]["CHASE_DB1"]["test"] == ["11L", "12R"]
    for one in results.values():
        hashes = one.provenance["photographs_sha256"]
        assert hashes.keys() == set(one.provenance["photographs"])
        assert all(re.fullmatch("[0-9a-f]{64}", value) for value in hashes.values())
        assert one.provenance["device"].endswith("(CPU)")
    assert "--iterations 5" in about["command"] and str(measured.parent) not in json.dumps(about)
    names = {path.name for path in (measured / "plots").iterdir()}
    assert names == {"likeness_native_gaussian.png", "vessels_CHASE_DB1.png"}


def test_a_comparison_that_was_broken_off_goes_on(
    data: Path, tmp_path: Path, measured: Path
) -> None:
    asked = replace(ASKED, data=(data,), out=tmp_path)
    for stop in (3, 8):
        calls: list[str] = []

        def cancel(_: float, what: str, calls: list[str] = calls, stop: int = stop) -> None:
            calls.append(what)
            if len(calls) > stop:
                raise Cancelled

        with pytest.raises(Cancelled):
            asked.measure(cancel)
    kept = {p.name: p.read_text().splitlines() for p in tmp_path.glob("*_records.jsonl")}
    assert len(kept["image_records.jsonl"]) == 4
    asked.measure()
    for name, lines in kept.items():
        assert (tmp_path / name).read_text().splitlines()[: len(lines)] == lines
    again, whole = files(tmp_path), files(measured)
    assert again.keys() == whole.keys()
    same = [name for name in whole if "table1" not in name]  # whose seconds differ
    assert all(again[name] == whole[name] for name in same)


def test_the_page_says_what_was_measured(measured: Path, tmp_path: Path) -> None:
    write_page(measured, tmp_path / "docs" / "benchmarks.md")
    text = (tmp_path / "docs" / "benchmarks.md").read_text()
    assert "## Claims tested" not in text  # no saliency GAN among the methods
    assert re.search(r"\| CHASE_DB1 +\| +2 \|", text)
    for address in re.findall(r"\]\((figures/[^)]*png)\)", text):
        assert (tmp_path / "docs" / address).stat().st_size > 1000
    assert len(re.findall(r"\]\(figures/.*png\)", text)) == 2
    with (measured / "table1.csv").open() as stream:
        ssim = {row["method"]: float(row["ssim"]) for row in csv.DictReader(stream)}
    for method, value in ssim.items():
        assert re.search(rf"\| {method} .*{value:.4f}", text)


def test_every_figure_lies_beside_the_page(measured: Path, tmp_path: Path) -> None:
    write_page(measured, tmp_path / "page.md")
    for number, count in ((1, 4), (2, 10)):
        with (tmp_path / "figures" / f"page_table{number}_per_image.csv").open() as stream:
            rows = list(csv.DictReader(stream))
        assert len(rows) == count and {row["photograph"] for row in rows} == {"11L", "12R"}
    about = json.loads((tmp_path / "figures" / "page_provenance.json").read_text())
    assert about["table1"] == read_results(measured)[1].provenance


def with_the_claimant(measured: Path, out: Path, ssim: float) -> Path:
    """The results as they would be had a saliency GAN been measured instead of Lanczos."""
    out.mkdir()
    for path in measured.glob("table*.json"):
        content: dict[str, Any] = json.loads(path.read_text().replace("lanczos", "saliency-gan"))
        for row in content["summary"]:
            if row["method"] == "saliency-gan" and "ssim" in row:
                row["ssim"] = ssim
            if row["method"] == "saliency-gan":
                row["dice"] = ssim
        (out / path.name).write_text(json.dumps(content))
    return out


@pytest.mark.parametrize(("ssim", "first"), [(0.999, 1), (0.1, 0)])
def test_the_page_tests_the_claim(measured: Path, tmp_path: Path, ssim: float, first: int) -> None:
    out = with_the_claimant(measured, tmp_path / "results", ssim)
    write_page(out, tmp_path / "page.md")
    text = (tmp_path / "page.md").read_text()
    (row,) = re.findall(r"\| SSIM +\| CHASE.*", text)
    assert re.match(rf"\| SSIM +\| CHASE_DB1 +\| other patients +\| +1 \| +{first} \|", row)
    assert ("bicubic (1)" in row) == (ssim < 0.5)
    assert not re.search(r"\| LPIPS +\| CHASE", text)  # not measured
    assert f"0.89 / {ssim:.2f}" in text  # the paper's figure beside


def test_what_cannot_be_compared_is_said(data: Path, tmp_path: Path) -> None:
    def refused(match: str, data: list[Path], asked: Tables, out: Path = tmp_path) -> None:
        with pytest.raises(UserError, match=match):
            replace(asked, data=data, out=out).measure()

    refused("No data folder", [], ASKED)
    refused("does not exist", [tmp_path / "gone"], ASKED)
    refused("no method 'sharpest'", [data], Tables(methods=("sharpest",)))
    refused("no set 'STARE'", [data], Tables(methods=("bicubic",), sets=("STARE",)))
    idrid = Tables(tables=(2,), methods=("bicubic",), sets=("IDRiD",), device="cpu")
    refused("drawn vessels", [data], idrid)
    blocked = tmp_path / "file"
    blocked.touch()
    refused("cannot be made", [data], ASKED, blocked / "out")
    with pytest.raises(UserError, match="holds no tables"):
        write_page(tmp_path, tmp_path / "page.md")
    (tmp_path / "table1.json").write_text("{}")
    with pytest.raises(UserError, match=r"table1\.json holds no results"):
        write_page(tmp_path, tmp_path / "page.md")


def test_the_usual_methods_are_those_that_are_installed() -> None:
    methods = Comparison().chosen_methods()
    assert {"bicubic", "linear"} <= set(methods) <= set(METHODS)
    assert list(methods) == [name for name in METHODS if name in methods]
    assert Comparison(scales=(2, 8, 16)).vessel_scales == (8,)
    assert "--no-perceptual" not in Tables().command()
    assert "--scales 4 " in ASKED.command() and "--no-perceptual" in ASKED.command()


def test_folders_are_read_once_each(data: Path) -> None:
    once = photographs_below([data])
    assert photographs_below([data, data / "DRIVE"]) == once
