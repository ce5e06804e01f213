"""By how much another seed changes what a vessel network of the comparison finds.

Trains the networks of table 2 of ``evaluate tables`` once more with every other seed, all else
alike, and writes ``vessel_seeds.md`` into ``DIR``: what lies below that spread says nothing of a
method. ``DIR`` may be that of the tables: enlargements and networks that are there are taken. It
goes on where it was broken off.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

from retina_viewer.core.options import option
from retina_viewer.core.paths import resources_dir
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.quality.records import Record, Value, write_report
from retina_viewer.superres.enhance_settings import Scale
from retina_viewer.training.recipe import VesselRecipe, load_recipe
from studies.comparison import Comparison, photographs_below
from studies.comparison_networks import ComparisonTrainer
from studies.report import make_folder
from studies.study import WithData
from studies.tables import Table, columns
from studies.vessel_study import study_vessels
from studies.vessel_tables import vessel_summary

NOTE = (
    "Mean Dice over the test photographs, inside the field of view, by seed of the network: first "
    "weights, order and augmentation of the crops. SD over the seeds, of one network; two methods "
    "that are nearer to each other than about three of it are not told apart by one training each. "
    "What was trained on originals is one network a seed: there, methods compare within a column. "
    "Networks of {steps} steps, seeds {seeds}. Measured by `{command}`."
)


@dataclass(frozen=True)
class VesselSeeds(WithData):
    out: Path = option(
        Path("tables"), flags=("-o", "--out"), metavar="DIR", help="networks and the page"
    )
    sets: Sequence[str] = option(("DRIVE",), metavar="SET", help="with drawn vessels")
    scales: Sequence[Scale] = option((4, 8), metavar="S", help="4 and 8")
    methods: Sequence[str] = option(("saliency-gan", "srgan"), metavar="M", help="of enhance")
    limit: int = option(6, metavar="N", help="at most N photographs of a part of a set")
    iterations: int = option(120, metavar="N", help="steps of every network")
    more_seeds: int = option(2, metavar="N", help="besides the recipe's own")

    def measure(self, progress: Progress = no_progress) -> str:
        asked = Comparison(
            scales=self.scales, methods=self.methods, sets=self.sets, limit=self.limit
        )
        make_folder(self.out)
        found = photographs_below([self.data], self.sets)
        rows: dict[int, list[Record]] = {}
        chosen = recipes(self.out, self.more_seeds)
        for seed, recipe in chosen.items():
            trainer = ComparisonTrainer(self.iterations, recipe_file=recipe)
            share = part_of(progress, len(rows) / len(chosen), (len(rows) + 1) / len(chosen))
            records, _, _ = study_vessels(found, asked, trainer, self.out, progress=share)
            rows[seed] = vessel_summary(records, self.methods[0])
        note = NOTE.format(
            steps=self.iterations, seeds=", ".join(map(str, rows)), command=self.command()
        )
        page = spread(rows, note).to_markdown()
        write_report(self.out / "vessel_seeds.md", page)
        return page


def recipes(out: Path, more: int) -> dict[int, Path]:
    """The recipe of the comparison by its seed, and copies of it with the seeds after that."""
    shipped = resources_dir() / "recipes" / "vessels-comparison.toml"
    recipe = load_recipe(shipped)
    assert isinstance(recipe, VesselRecipe)
    found = {recipe.seed: shipped}
    text = shipped.read_text(encoding="utf-8")
    for seed in range(recipe.seed + 1, recipe.seed + 1 + more):
        copy = out / f"vessels-comparison-{seed}.toml"
        line = f"seed = {recipe.seed}\n"
        assert line in text
        copy.write_text(text.replace(line, f"seed = {seed}\n"), encoding="utf-8")
        found[seed] = copy
    return found


def spread(rows: dict[int, list[Record]], note: str) -> Table:
    """One row a network: its Dice by seed, their mean and SD."""
    keys = ("dataset", "scale", "trained_on", "method")
    by_network: dict[tuple[Value, ...], dict[int, float]] = {}
    for seed, some in rows.items():
        for row in some:
            key = tuple(row[name] for name in keys)
            by_network.setdefault(key, {})[seed] = float(row["dice"])
    lines: list[Record] = []
    for key, dices in by_network.items():
        line: Record = dict(zip(keys, key, strict=True))
        line |= {str(seed): dice for seed, dice in dices.items()}
        values: Sequence[float] = list(dices.values())
        line["mean"] = fmean(values)
        if len(values) > 1:
            line["sd"] = stdev(values)
        lines.append(line)
    said = (
        "dataset:set", "scale", "trained_on:trained on", "method",
        *(f"{seed}:{seed}:4" for seed in rows), "mean:mean:4", "sd:SD:4",
    )  # fmt: skip
    return Table(columns(*said), lines, (note,), "Vessel networks by seed")
