"""Pictures of systems, of recordings and of searches, without a server.

    python -m livnd.plots system EI-100 --out system.png
    python -m livnd.plots recording rows.parquet --system S1 --out recording.pdf
    python -m livnd.plots recording recording.h5 --copy 0 --episode 3
    python -m livnd.plots front my-search --out front.png

The functions behind it return Matplotlib figures: draw_system(system), draw_recording(recording),
draw_front(front).
Drawing needs matplotlib: pip install 'livnd[plots]'.
"""

from livnd.plots.front import draw_front, read_front
from livnd.plots.recorded import Recording
from livnd.plots.recording import draw_recording
from livnd.plots.recordings import read_recording
from livnd.plots.system import draw_system

__all__ = [
    "Recording",
    "draw_front",
    "draw_recording",
    "draw_system",
    "read_front",
    "read_recording",
]
