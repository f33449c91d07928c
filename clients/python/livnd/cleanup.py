"""Work that the garbage collector finds for us, done elsewhere.

The collector may run in any thread, between any two lines, with any lock held. So a finalizer makes
no calls and takes no lock: it puts a job into a queue that may be used there, and a thread of the
package's own does it. A forked child starts with an empty queue and no thread.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import weakref
from collections.abc import Callable
from typing import Any

_FINISH_TIMEOUT_S = 5.0

_jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
_thread: threading.Thread | None = None
_starting = threading.Lock()


def when_collected(thing: Any, job: Callable[[], Any]) -> weakref.finalize[Any, Any]:
    """Has `job`, which must not hold `thing`, done some time after `thing` is collected.

    The answer's detach() calls it off. Nothing is done for things that live until the process ends.
    """
    global _thread
    with _starting:
        if _thread is None:
            _thread = threading.Thread(target=_work, name="livnd-cleanup", daemon=True)
            _thread.start()
    finalizer = weakref.finalize(thing, _put, job)
    finalizer.atexit = False
    return finalizer


def _put(job: Callable[[], Any]) -> None:
    # SimpleQueue.put is made for finalizers: it may be called while it runs.
    _jobs.put(job)


def _work() -> None:
    while (job := _jobs.get()) is not None:
        # Nobody is left to tell, and the next job waits.
        with contextlib.suppress(Exception):
            job()


def finish() -> None:
    """Does what is in the queue, for some seconds at most; at the end of the process."""
    if _thread is not None:
        _jobs.put(None)
        _thread.join(_FINISH_TIMEOUT_S)


def _after_fork_in_child() -> None:
    global _jobs, _thread, _starting
    _jobs, _thread, _starting = queue.SimpleQueue(), None, threading.Lock()


os.register_at_fork(after_in_child=_after_fork_in_child)
