"""What livn 2.0.0 does at electrodes, a worker of bench.py: commands of devices_bench.cc."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import numpy as np
from worker import serve_commands


class Devices:
    """An array over points, one a cell."""

    def array(self, request: dict[str, Any]) -> dict[str, Any]:
        """Takes the array and the points; answers the most bytes that gains took on the way."""
        from livn.io import MEA

        self._points = np.column_stack([np.arange(len(request["points"])), request["points"]])
        self._mea = MEA(np.array(request["array"]["electrode_coordinates"], float))
        tracemalloc.start()
        self._distances = self._mea.distances(self._points)
        gains = self._mea.source_gain(self._distances)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return {"bytes": peak, "pairs": int(np.count_nonzero(gains))}

    def encode(self, request: dict[str, Any]) -> dict[str, Any]:
        """A biphasic pulse of 20 uA at most on each electrode, as `amplitude` has it."""
        half = request["samples"] // 2
        values = np.asarray(request["values"])

        def work() -> Any:
            currents = np.zeros((request["samples"] + 1, len(values)))
            currents[:half] = -request["scale_ua"] * values
            currents[half:-1] = request["scale_ua"] * values
            return self._mea.cell_stimulus(self._points, currents, dt=request["sample_dt_ms"])

        work()  # keeps its gains
        begin = time.thread_time()
        for _ in range(request["repeats"]):
            stimulus = work()
        seconds = time.thread_time() - begin
        return {"cpu_s": seconds, "first_mv": np.asarray(stimulus.array)[0].tolist()}

    def decode(self, request: dict[str, Any]) -> dict[str, Any]:
        """Spikes by channel, counted."""
        gids = np.array(request["gids"])
        times = 0.025 * np.array(request["ticks"])
        ids = self._mea.channel_ids

        def work() -> list[int]:
            heard, _ = self._mea.channel_recording(self._points, gids, times)
            return [len(heard.get(int(channel), ())) for channel in ids]

        work()
        begin = time.thread_time()
        for _ in range(request["repeats"]):
            counts = work()
        return {"cpu_s": time.thread_time() - begin, "counts": counts}

    def potentials(self, request: dict[str, Any]) -> dict[str, Any]:
        """What electrodes hear of membrane currents."""
        currents = np.array(request["currents_ua"]).reshape(-1, len(self._points)).T
        begin = time.thread_time()
        for _ in range(request["repeats"]):
            heard = self._mea.potential_recording(self._distances, currents)
        return {"cpu_s": time.thread_time() - begin, "potentials_uv": heard[:, -1].tolist()}


def main() -> None:
    """Serves the commands."""
    devices = Devices()
    commands = {
        name: getattr(devices, name) for name in ("array", "encode", "decode", "potentials")
    }
    serve_commands({"ready": True}, commands)


if __name__ == "__main__":
    main()
