"""A window of the desktop that shows frames: what render_mode="human" opens."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import time
from typing import Any, Protocol

import numpy as np

from livnd.errors import NoDisplayError

# What tells a program of the desktop that it is on, or that pygame shall do without one.
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")


class _Screen(Protocol):
    """What draws frames of one size."""

    def show(self, frame: np.ndarray) -> None: ...

    def close(self) -> None: ...


def problem() -> str:
    """Why no window can be opened here; "" where one can. Opens nothing and imports nothing."""
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in _DISPLAYS):
        return "this process has no display (DISPLAY and WAYLAND_DISPLAY are not set)"
    if not _has("pygame") and not _has("tkinter"):
        return "neither pygame nor tkinter is installed (pip install 'livnd[human]')"
    return ""


def _has(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # a module that was put there without one
        return module in sys.modules


class Window:
    """Shows one frame after the other, no faster than they are due. One thread at a time.

    Opens with the first frame, by pygame where that is installed and by tkinter elsewhere. What the
    user closes stays closed: later frames are not shown.

    Args:
        title: of the window.
        fps: frames a second at most.

    Raises:
        NoDisplayError: there is no display, or neither package.
    """

    def __init__(self, title: str, fps: float) -> None:
        why = problem()
        if why:
            raise no_display(why)
        self._title = title
        self._interval_s = 1.0 / fps
        self._screen: _Screen | None = None
        self._is_closed = False
        self._shown_at_s = -self._interval_s

    @property
    def is_open(self) -> bool:
        """False once it was closed; before the first frame it counts as open."""
        return not self._is_closed

    def show(self, frame: np.ndarray) -> None:
        """Shows uint8 [height, width, 3] when it is due, which is waited for."""
        if self._is_closed:
            return
        if self._screen is None:
            self._screen = _open(self._title, frame)
        wait_s = self._shown_at_s + self._interval_s - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)
        self._shown_at_s = time.monotonic()
        try:
            self._screen.show(frame)
        except _UserClosed:
            self.close()

    def close(self) -> None:
        """Idempotent."""
        self._is_closed = True
        if self._screen is not None:
            self._screen.close()
            self._screen = None


class _UserClosed(Exception):
    """The user has closed the window."""


def no_display(why: str) -> NoDisplayError:
    """The error for a window that cannot be opened."""
    return NoDisplayError(
        f"render_mode is 'human', but {why}; 'rgb_array' and 'ansi' need no window",
        reason="NO_DISPLAY",
        metadata={"field": "render_mode", "value": "human", "accepted": "rgb_array, ansi"},
    )


def _open(title: str, frame: np.ndarray) -> _Screen:
    height, width = frame.shape[:2]
    kind = _PygameScreen if _has("pygame") else _TkScreen
    try:
        return kind(title, width, height)
    except Exception as error:  # of pygame's or tkinter's own kinds
        raise no_display(f"no window can be opened ({error})") from error


class _PygameScreen:
    def __init__(self, title: str, width: int, height: int) -> None:
        # It greets on standard output.
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        import pygame

        self._pygame = pygame
        pygame.display.init()
        pygame.display.set_caption(title)
        self._surface = pygame.display.set_mode((width, height))

    def show(self, frame: np.ndarray) -> None:
        if any(event.type == self._pygame.QUIT for event in self._pygame.event.get()):
            raise _UserClosed
        self._pygame.surfarray.blit_array(self._surface, frame.swapaxes(0, 1))
        self._pygame.display.flip()

    def close(self) -> None:
        self._pygame.display.quit()


class _TkScreen:
    def __init__(self, title: str, width: int, height: int) -> None:
        import tkinter

        self._tkinter = tkinter
        self._root: Any = tkinter.Tk()
        self._root.title(title)
        self._root.resizable(False, False)
        self._is_open = True
        self._root.protocol("WM_DELETE_WINDOW", self._closed_by_the_user)
        self._image = tkinter.PhotoImage(master=self._root, width=width, height=height)
        tkinter.Label(self._root, image=self._image, borderwidth=0).pack()

    def _closed_by_the_user(self) -> None:
        self._is_open = False

    def show(self, frame: np.ndarray) -> None:
        height, width = frame.shape[:2]
        data = b"P6 %d %d 255\n" % (width, height) + np.ascontiguousarray(frame).tobytes()
        self._image.configure(data=data, format="PPM")
        self._root.update()
        if not self._is_open:
            raise _UserClosed

    def close(self) -> None:
        with contextlib.suppress(self._tkinter.TclError):
            self._root.destroy()
