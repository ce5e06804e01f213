"""Requests to end, and closed terminals, heeded for as long as something runs."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def heeding(handler: Callable[[int, object], None], *names: str) -> Iterator[None]:
    """Have signals call the handler; afterwards all is as before.

    A signal that is ignored (nohup) stays so. Only the main thread can do this; elsewhere, and for
    signals that the system lacks, nothing happens.

    Args:
        handler: of the signal's number and the frame.
        names: ``SIGTERM`` and so on.
    """
    is_main = threading.current_thread() is threading.main_thread()
    known = [getattr(signal, name) for name in names if hasattr(signal, name) and is_main]
    heeded = [one for one in known if signal.getsignal(one) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, handler) for number in heeded}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
