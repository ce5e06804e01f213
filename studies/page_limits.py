"""What limits the figures of a comparison, in sentences that hold for what was measured."""

from collections.abc import Iterable, Iterator, Mapping

from studies.claim_words import sentence_of
from studies.claims import is_unseen
from studies.comparison import FIELD_DIAMETER
from studies.contenders import LINEAR, LINEAR_FOLDS
from studies.results import TableResults


def limits(results: Mapping[int, TableResults]) -> Iterator[str]:
    """The last section of the page: what to keep in mind with what was measured."""
    yield "## What limits these figures"
    said: list[str] = []
    if 1 in results:
        if LINEAR in results[1].values("method"):
            said.append(
                f"`{LINEAR}` is fitted to the very degradation that it is measured under, which "
                "networks are not told: it shows how much of a gain is plain deconvolution."
            )
        if LINEAR_FOLDS in results[1].values("method"):
            folds = results[1].provenance["models"][LINEAR_FOLDS]["name"]
            said.append(
                f"Cross-validation, {folds}: the linear filter alone (`{LINEAR_FOLDS}`), fitted "
                "to the other patients of these very sets. Networks and forests take hours to "
                "train and were not trained five times: they are measured on patients held out "
                "once and for all."
            )
        else:
            said.append("Nothing was cross-validated: every method is as it was trained once.")
        said.append(
            f"Photographs whose field of view is wider than {FIELD_DIAMETER} px are shrunk to that "
            "under the native protocol: they are soft at full size and hold nothing to restore."
        )
        if "paper" in results[1].values("protocol"):
            said.append(
                "The paper protocol crops the surround and resizes to 1024 x 1024, which enlarges "
                "small photographs: they then hold little that a method could restore at x2."
            )
        said.append("Seconds are of one photograph while other programs ran: orders of magnitude.")
    said += _few(results)
    sets = dict.fromkeys(str(r["dataset"]) for one in results.values() for r in one.records)
    unseen, seen = ([n for n in sets if is_unseen(n) == kind] for kind in (True, False))
    if seen:
        text = f"Of {sentence_of(seen)} other patients were trained on"
        said.append(f"{text}; nothing of {sentence_of(unseen)}." if unseen else f"{text}.")
    if 2 in results:
        said.append(
            "Every vessel network was trained once: p compares photographs and does not know by "
            "how much another training of the same network would differ, which "
            "`python -m studies.vessel_seeds` measures."
        )
    if 2 in results and "CHASE_DB1" in results[2].values("dataset"):
        said.append(
            "Most of CHASE_DB1's training half was trained on by the methods too, so networks that "
            "learn vessels there see better enlargements than they are measured on."
        )
    yield "\n".join(f"- {sentence}" for sentence in said)


def _few(results: Mapping[int, TableResults]) -> Iterable[str]:
    counts = {str(row["dataset"]): int(row["n"]) for one in results.values() for row in one.rows}
    few = [f"{name} ({n})" for name, n in counts.items() if 2.0 ** (1 - n) > 0.05]
    if few:
        yield f"Too few photographs for any p below 0.05: {sentence_of(few)}."
