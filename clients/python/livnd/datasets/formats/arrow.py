"""Rows of a recording as a folder of Arrow files, and as a Parquet file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from livnd import extras
from livnd.datasets.formats.options import Converted, Options
from livnd.datasets.formats.rows import RunRows, metadata_json
from livnd.datasets.recordings import RecordingFile

# After so many bytes of rows the next file begins.
_SHARD_BYTES = 512 << 20


def write_arrow(recording: RecordingFile, path: Path, options: Options, made: Converted) -> None:
    """A folder that load_from_disk() of `datasets` takes, and livn's ArrowDataset.

    Files are streams of Arrow messages, data-00000.arrow and so on, as livn names them.
    """
    rows = RunRows(recording, options, made)
    path.mkdir()
    names, digest = write_shards(path, rows.schema, rows.batches())
    digest.update(json.dumps(recording.attributes, sort_keys=True).encode())
    write_state(path, names, digest, _description(recording))
    (path / "conversion_metadata.json").write_text(metadata_json(rows.metadata))
    made.counts["files"] = len(names)


def write_shards(path: Path, schema: Any, batches: Iterable[Any]) -> tuple[list[str], Any]:
    """Writes batches to data-00000.arrow and so on; their names, and a digest of the rows."""
    pa = extras.load("pyarrow", "data", "writing rows")
    names: list[str] = []
    digest = hashlib.sha256()
    writer, size = None, 0
    try:
        for batch in batches:
            if writer is None or size >= _SHARD_BYTES:
                if writer is not None:
                    writer.close()
                names.append(f"data-{len(names):05d}.arrow")
                writer, size = pa.ipc.new_stream(str(path / names[-1]), schema), 0
            writer.write_batch(batch)
            size += batch.nbytes
            digest.update(f"{batch.num_rows}:{batch.nbytes};".encode())
    finally:
        if writer is not None:
            writer.close()
    return names, digest


def write_state(path: Path, names: list[str], digest: Any, description: str) -> None:
    """What `datasets` has beside such files."""
    state: dict[str, Any] = {
        "_data_files": [{"filename": name} for name in names],
        "_fingerprint": digest.hexdigest()[:16],
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": None,
    }
    info = {"citation": "", "description": description, "homepage": "", "license": ""}
    (path / "state.json").write_text(json.dumps(state, indent=2) + "\n")
    (path / "dataset_info.json").write_text(json.dumps(info, indent=2) + "\n")


def write_parquet(recording: RecordingFile, path: Path, options: Options, made: Converted) -> None:
    """A Parquet file; a batch of rows is a row group, and pages have checksums."""
    parquet = extras.load("pyarrow.parquet", "data", "writing rows")
    rows = RunRows(recording, options, made)
    schema = rows.schema.with_metadata({"livnd": metadata_json(rows.metadata)})
    with parquet.ParquetWriter(
        path, schema, compression="zstd", write_page_checksum=True
    ) as writer:
        for batch in rows.batches():
            writer.write_batch(batch.replace_schema_metadata(schema.metadata))


def _description(recording: RecordingFile) -> str:
    of = recording.attributes.get("environment") or recording.attributes.get("system") or ""
    return f"Runs of a simulated culture, recorded by livnd: {of}".rstrip(": ")
