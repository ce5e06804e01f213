"""A long measurement as a list of small ones, each kept as soon as it is made."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.quality.records import Record, RecordLog, Value


@dataclass(frozen=True)
class Job:
    """One record to be measured.

    Args:
        who: what tells it apart; part of the record.
        measure: its figures.
        needs: names that a record from an earlier run must hold to be taken over.
        note: further names for the record that do not tell it apart.
    """

    who: Record
    measure: Callable[[], Record]
    needs: Sequence[str] = ()
    note: Record | None = None

    @property
    def what(self) -> str:
        """For people: ``DRIVE, 01, x4, bicubic``."""
        return ", ".join(
            f"x{value}" if name == "scale" else str(value)
            for name, value in self.who.items()
            if value != "" and name != "model"
        )


def measure_all(
    jobs: Sequence[Job], *, log: RecordLog | None = None, progress: Progress = no_progress
) -> list[Record]:
    """The record of every job, in order; what the log holds is not measured again.

    Args:
        jobs: their ``who`` share one set of names, which is the log's key.
        log: from an interrupted run; new records go into it at once.
        progress: called before every job with the share done; it may cancel.
    """
    records: list[Record] = []
    for job in jobs:
        progress(len(records) / len(jobs), job.what)
        key: dict[str, Value] = dict(job.who)
        record = None if log is None else log.find(**key)
        if record is None or any(name not in record for name in job.needs):
            record = job.who | (job.note or {}) | job.measure()
            if log is not None:
                log.add(record)
        records.append(record)
    progress(1.0, "measured")
    return records


def grouped(
    records: Iterable[Record], names: Sequence[str]
) -> dict[tuple[Value, ...], list[Record]]:
    """Records by their values of these names, in the order in which they first occur."""
    groups: dict[tuple[Value, ...], list[Record]] = {}
    for record in records:
        groups.setdefault(tuple(record[name] for name in names), []).append(record)
    return groups


def mean_row(members: Sequence[Record], names: Iterable[str], spread: Sequence[str] = ()) -> Record:
    """The mean of each name over the members that have it, and where there are several the SD of
    those in ``spread`` as ``NAME_sd``; a name that none has is left out."""
    row: Record = {}
    for name in names:
        values = [float(one[name]) for one in members if name in one]
        if values:
            row[name] = float(np.mean(values))
        if name in spread and len(values) > 1:
            row[f"{name}_sd"] = float(np.std(values, ddof=1))
    return row
