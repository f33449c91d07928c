"""Writes what the fuzzers begin with, from what a server and its clients really say.

    python tests/fuzz/seed_corpora.py        (build //server:livnd first)

What fuzzers have found since stays: files that were named by libFuzzer are left alone.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import livnd
import numpy as np
from livnd._proto import pb
from livnd.tensors import encode

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/peers"))
from serving import Serve  # noqa: E402

CORPUS = ROOT / "tests/fuzz/corpus"
TASK, CULTURE = 0, 1  # whom a request is for, in its first byte


def _write(target: str, name: str, data: bytes) -> None:
    (CORPUS / target).mkdir(parents=True, exist_ok=True)
    (CORPUS / target / name).write_bytes(data)


def _tensors() -> None:
    for name, array in {
        "floats": np.linspace(-1, 1, 32, dtype=np.float32).reshape(2, 16),
        "doubles": np.array([0.5]),
        "ints": np.array([1, 2, 3], np.int64),
        "seeds": np.array([7, 2**63], np.uint64),
        "flags": np.array([True, False]),
        "none": np.zeros((3, 0), np.float32),
    }.items():
        _write("tensors", name, encode(array, array.dtype).SerializeToString())


def _actions() -> pb.Tensor:
    return encode(np.full((2, 2), 0.5, np.float32), np.float32)


def _requests() -> None:
    stimulus = livnd.CultureStimulus("current_na", np.full((8, 1), 0.5), 0.1, [(0, 0)])
    seeds = encode(np.array([1, 2], np.uint64), np.uint64)
    recording = pb.RecordingSelection(spikes=True)
    recording.series.append(livnd.SeriesSelection("voltage_mv", [(0, 0)]).to_message())
    for kind, (who, name, message) in enumerate(
        [
            (TASK, "reset", pb.ResetRequest(seeds=seeds)),
            (TASK, "step", pb.StepRequest(actions=[_actions()])),
            (TASK, "observe", pb.ObserveRequest()),
            (CULTURE, "configure", pb.ConfigureRequest(dt_ms=0.0125, recording=recording)),
            (CULTURE, "run", pb.RunRequest(duration_ms=1.0, stimuli=[stimulus.to_message()])),
            (CULTURE, "clear", pb.ClearRequest(seeds=seeds)),
            (CULTURE, "get_culture", pb.GetCultureRequest(learned_weights=True)),
            (CULTURE, "restore", pb.RestoreRequest(copy_of=[0, 0])),
        ]
    ):
        _write("requests", name, bytes([2 * kind + who]) + message.SerializeToString())
    params = [pb.Param(key="noise-std_e", value=2.0), pb.Param(key="nothing", value=0.0)]
    changed = pb.ConfigureRequest(params=params, plasticity_on=True)
    _write("requests", "configure_params", bytes([2 * 3 + CULTURE]) + changed.SerializeToString())


def _snapshots(server: Serve) -> None:
    copy = pb.EpisodeSnapshot(
        was_reset=True,
        seed=5,
        num_episodes_of_seed=1,
        episode_seed=5,
        episode=1,
        observations=[bytes(12)],
        infos=[bytes(8)],
    )
    contents = pb.SnapshotContents(task=pb.TaskSnapshot(copies=[copy]))
    _write("snapshots", "task", contents.SerializeToString())
    with livnd.connect(server.address) as client:
        culture = client.create_culture("EI-mini", 1)
        culture.configure(params={"noise-std_e": 2.0}, spikes=True)
        culture.clear([3])
        push = livnd.CultureStimulus("current_na", np.full((8, 1), 0.5), 0.5, [(0, 0)])
        culture.run(2.0, [push])
        _write("snapshots", "culture", culture.snapshot()[12:])  # without magic and checksum


def _framed(*records: pb.JournalRecord) -> bytes:
    bodies = [record.SerializeToString() for record in records]
    return b"".join(struct.pack("<H", len(body)) + body for body in bodies)


def _journals(server: Serve) -> None:
    with livnd.connect(server.address) as client:
        session = client.create_session("Null-v0", 2)
        session.reset([1, 2])
        shape = (2, *session.spec.actions[0].shape)
        for number in range(3):
            session.step(np.full(shape, 0.1 * number, np.float32))
        [journal] = server.journals
        raw = journal.read_bytes().rstrip(b"\0")
        _write("journals", "file", raw)
        _write("journals", "file_torn", raw[:-3])
        _write("journals", "file_damaged", raw[: len(raw) // 2] + b"?" + raw[len(raw) // 2 + 1 :])
    seeds = encode(np.array([1, 2], np.uint64), np.uint64)
    head = pb.JournalHead(num_envs=2, autoreset_mode=1, generation=1, next_op_index=1)
    reset, step = pb.ResetRequest(op_index=1, seeds=seeds), pb.StepRequest(op_index=2)
    step.actions.append(_actions())
    _write(
        "journals",
        "records",
        _framed(
            pb.JournalRecord(head=head),
            pb.JournalRecord(
                operation=pb.JournalOperation(method=1, request=reset.SerializeToString())
            ),
            pb.JournalRecord(attachment=pb.JournalAttachment(generation=2)),
            pb.JournalRecord(
                operation=pb.JournalOperation(method=2, request=step.SerializeToString())
            ),
        ),
    )


def _neuroh5() -> None:
    def change(file: int, what: int, where: int, value: int) -> bytes:
        return struct.pack("<BBHi", file, what, where, value)

    _write("neuroh5", "sound", b"\0")
    _write("neuroh5", "sound_in_a_child", b"\1")
    _write("neuroh5", "number", b"\0" + change(0, 3, 1, -1))
    _write("neuroh5", "two_numbers", b"\0" + change(128, 0, 5, 0x7FC00000) + change(1, 1, 2, 70000))
    _write("neuroh5", "length", b"\0" + change(3, 2, 4000, 5))
    _write("neuroh5", "bytes", b"\1" + change(0, 0, 96, -1) + change(1, 0, 2000, 77))
    _write("neuroh5", "cut", b"\1" + change(240, 1, 0, 0))


def _recordings() -> None:
    def change(where: int, value: int) -> bytes:
        return struct.pack("<Ii", where, value)

    _write("recordings", "sound", b"\0")
    _write("recordings", "sound_and_sealed", b"\1")
    _write("recordings", "superblock", b"\1" + change(36, 5000))
    _write("recordings", "bytes", b"\0" + change(4200, 77) + change(1 << 24 | 9000, -1))
    _write("recordings", "sealed", b"\1" + change(4200, 77) + change(3 << 24 | 9000, -1))
    _write("recordings", "cut", b"\2" + change(6000, 0))


if __name__ == "__main__":
    _tensors()
    _requests()
    _neuroh5()
    _recordings()
    with Serve("--bench-environments") as own:
        _snapshots(own)
    with Serve("--bench-environments") as own:
        _journals(own)
