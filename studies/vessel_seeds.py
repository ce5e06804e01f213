"""By how much another seed changes what a vessel network of the comparison finds.

``python -m studies.vessel_seeds DATA -o DIR`` trains the networks of table 2 of
``retina-viewer evaluate tables`` once more with every other seed, all else alike, and writes
``vessel_seeds.md`` into ``DIR``: what lies below that spread says nothing of a method. ``DIR`` may
be that of the tables: enlargements and networks that are there are taken. It goes on where it was
broken off.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev

from retina_viewer.core.paths import resources_dir
from retina_viewer.quality.tables import Column, Record, Table, Value, write_report
from retina_viewer.training.recipe import VesselRecipe, load_recipe
from studies.comparison import Comparison, photographs_below
from studies.comparison_networks import ComparisonTrainer
from studies.vessel_study import study_vessels
from studies.vessel_tables import vessel_summary

NOTE = (
    "Mean Dice over the test photographs, inside the field of view, by seed of the network: first "
    "weights, order and augmentation of the crops. SD over the seeds, of one network; two methods "
    "that are nearer to each other than about three of it are not told apart by one training each. "
    "What was trained on originals is one network a seed: there, methods compare within a column. "
    "Networks of {steps} steps, seeds {seeds}. {command}"
)
COMMAND = "Measured by `python -m studies.vessel_seeds DATA {options} -o DIR`."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the public sets")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=["DRIVE"])
    parser.add_argument("--scales", type=int, nargs="+", default=[4, 8])
    parser.add_argument("--methods", nargs="+", default=["saliency-gan", "srgan"])
    parser.add_argument("--limit", type=int, default=6)
    parser.add_argument("--iterations", type=int, default=120)
    parser.add_argument("--more-seeds", type=int, default=2, help="besides the recipe's own")
    given = parser.parse_args()
    asked = Comparison(
        scales=given.scales, methods=given.methods, sets=given.sets, limit=given.limit
    )
    given.out.mkdir(parents=True, exist_ok=True)
    found = photographs_below([given.data], given.sets)
    rows: dict[int, list[Record]] = {}
    for seed, recipe in recipes(given.out, given.more_seeds).items():
        trainer = ComparisonTrainer(given.iterations, recipe_file=recipe)
        records, _, _ = study_vessels(found, asked, trainer, given.out, progress=say)
        rows[seed] = vessel_summary(records, given.methods[0])
    options = (
        f"--sets {' '.join(given.sets)} --scales {' '.join(map(str, given.scales))} "
        f"--methods {' '.join(given.methods)} --limit {given.limit} "
        f"--iterations {given.iterations} --more-seeds {given.more_seeds}"
    )
    note = NOTE.format(
        steps=given.iterations, seeds=", ".join(map(str, rows)),
        command=COMMAND.format(options=options),
    )  # fmt: skip
    page = spread(rows, note).to_markdown()
    write_report(given.out / "vessel_seeds.md", page)
    print(page)


def say(fraction: float, what: str) -> None:
    print(f"{fraction:4.0%}  {what}", flush=True)


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
    columns = [
        Column("dataset", "set"), Column("scale", "scale"), Column("trained_on", "trained on"),
        Column("method", "method"), *(Column(str(seed), str(seed), digits=4) for seed in rows),
        Column("mean", "mean", digits=4), Column("sd", "SD", digits=4),
    ]  # fmt: skip
    return Table(columns, lines, (note,), "Vessel networks by seed")


if __name__ == "__main__":
    main()
