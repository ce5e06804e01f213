"""Where the program writes what it does: a rotating file, and the last lines for error reports.

Privacy: the names and paths of photographs may name patients. At INFO and above no message may
hold them, nor anything else out of a photograph (DICOM fields, for instance); DEBUG may, is off
unless the person asks for it, and never enters the lines that an error report copies. Of exceptions
only that is written which cannot name anybody, see :func:`described`: a name that has spaces cannot
be cut out of a text, so a text that may hold one is left out whole.
"""

import logging
import os
import re
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
LEFT_OUT = "(text left out: it may name a file)"
_HARMLESS = re.compile(r"[\w\s.,:;()\[\]{}<>=+*%-]*")
"""No slash, backslash, quotation mark, @ or ^: paths, addresses, quoted and DICOM's names."""
_PROPER_NAME = re.compile(r"\b[^\W\d_a-z][a-z]|[^\x00-\x7f]|\.[A-Za-z]{2,5}\b")
"""A capitalised word, a letter beyond ASCII, or what ends the name of a file."""


def described(error: BaseException) -> str:
    """An exception in one line that names no file and no person.

    Its type; of what the system refused the system's own words; of other errors their text, unless
    it may hold a name.
    """
    kind = type(error).__name__
    if isinstance(error, UserError):
        return kind
    if isinstance(error, OSError):  # its text names the file
        number = error.errno
        return f"{kind}: {'no further text' if number is None else os.strerror(number)}"
    text = str(error)
    return f"{kind}: {text if is_harmless(text) else LEFT_OUT}"


def is_harmless(text: str) -> bool:
    """Whether a text surely names no file and no person; most sentences of programmers do not."""
    if not _HARMLESS.fullmatch(text):
        return False
    # A sentence may begin with a capital, and types are written with them.
    first, _, rest = text.partition(" ")
    words = re.sub(r"\b(?:Rect|Tensor|None|True|False|Float|Double|Byte|Long|Half)\b", "", rest)
    return not _PROPER_NAME.search(words) and not re.search(r"[^\x00-\x7f]|\.\w", first)


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
            lines += [described(error), *reversed(frames_of(error))]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(reversed(lines))


def frames_of(error: BaseException) -> list[str]:
    """Where it happened, the innermost last; of each file its folder's and its own name alone."""
    return [
        f"  {'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} in {frame.name}"
        for frame in extract_tb(error.__traceback__)
    ]


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

    ``logging.DEBUG`` may write names of photographs, see above. The directory is the platform's
    log folder where None.
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
                folder / FILE_NAME,
                maxBytes=MAX_BYTES,
                backupCount=BACKUPS,
                encoding="utf-8",
                errors="backslashreplace",  # names that are not UTF-8
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
