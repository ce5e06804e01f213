"""Progress and cancellation: one callback for both.

Long work calls ``progress(fraction, what)`` often (at least every 0.1 s where it can).
The callback may raise :class:`~retina_viewer.core.errors.Cancelled`; the work lets it pass,
leaving nothing half-written.
"""

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""``(fraction in [0, 1], what is being done)``; may raise Cancelled."""


def no_progress(fraction: float, what: str = "") -> None:
    """Ignore progress and never cancel."""


def part_of(progress: Progress, start: float, end: float) -> Progress:
    """Map a sub-task's 0..1 onto ``start..end`` of the whole."""

    def report(fraction: float, what: str) -> None:
        progress(start + (end - start) * fraction, what)

    return report
