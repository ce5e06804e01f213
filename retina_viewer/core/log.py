"""Where the program writes what it does: a rotating file, and the last lines for error reports.

Privacy: the names and paths of photographs may name patients. At INFO and above no message may
hold them, nor anything else out of a photograph (DICOM fields, for instance); DEBUG may, is off
unless the person asks for it, and never enters the lines that an error report copies. Exceptions
are written without the texts that name files: a UserError's words are for the window alone.
"""

import logging
from collections import deque
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from traceback import extract_tb
from types import TracebackType

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import log_dir

LOGGER_NAME = "retina_viewer"
FILE_NAME = "retina-viewer.log"
MAX_BYTES = 1_000_000
BACKUPS = 3
KEPT_LINES = 200
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _DiscreetFormatter(logging.Formatter):
    """Tracebacks without the names of photographs, and without the program's own folder."""

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        lines: list[str] = []
        error = ei[1]
        while error is not None:
            lines += [self._line(error), *reversed(self._frames(error.__traceback__))]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(reversed(lines))

    @staticmethod
    def _frames(trace: TracebackType | None) -> list[str]:
        return [
            f"  {'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} in {frame.name}"
            for frame in extract_tb(trace)
        ]

    @staticmethod
    def _line(error: BaseException) -> str:
        kind = type(error).__name__
        if isinstance(error, UserError):
            return kind
        if isinstance(error, OSError):  # its text names the file
            return f"{kind}: {error.strerror or 'no further text'}"
        return f"{kind}: {error}"


class _RecentLines(logging.Handler):
    """Keeps the last formatted records in memory."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.lines.extend(self.format(record).splitlines())
        except Exception:  # logging must never break what it reports on
            self.handleError(record)


def configure_logging(level: int = logging.INFO, directory: Path | None = None) -> None:
    """Send the program's log to ``retina-viewer.log`` in ``directory``, and keep the last lines.

    Calling it again replaces the earlier configuration. Where the folder cannot be written to,
    the lines are kept in memory alone: a missing log is no reason not to start.

    Args:
        level: of the file; ``logging.DEBUG`` may write names of photographs, see above.
        directory: the platform's log folder where None.
    """
    logger = logging.getLogger(LOGGER_NAME)
    stop_logging()
    logger.setLevel(level)
    formatter = _DiscreetFormatter(_FORMAT)
    handlers: list[logging.Handler] = [_RecentLines()]
    folder = log_dir() if directory is None else directory
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        handlers.append(
            RotatingFileHandler(
                folder / FILE_NAME, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8"
            )
        )
    for handler in handlers:
        handler.setFormatter(formatter)
        logger.addHandler(handler)


def stop_logging() -> None:
    """Close the file and forget the kept lines."""
    logger = logging.getLogger(LOGGER_NAME)
    for handler in list(logger.handlers):
        if isinstance(handler, _RecentLines | RotatingFileHandler):
            logger.removeHandler(handler)
            handler.close()


def recent_lines(count: int = KEPT_LINES) -> list[str]:
    """The last lines at INFO and above, oldest first: for the report that a person may copy."""
    for handler in logging.getLogger(LOGGER_NAME).handlers:
        if isinstance(handler, _RecentLines):
            lines = list(handler.lines)
            return lines[-count:] if count > 0 else []
    return []
