"""A long measurement as a list of small ones, each kept as soon as it is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.quality.tables import Record, RecordLog, Value


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
