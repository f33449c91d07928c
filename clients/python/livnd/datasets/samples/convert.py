"""A folder of samples as splits of livn's rows."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from livnd import extras
from livnd.datasets.formats.arrow import write_shards, write_state
from livnd.datasets.formats.options import LAYOUTS, Converted, Options
from livnd.datasets.formats.output import new_output
from livnd.datasets.samples.folder import SampleFolder
from livnd.datasets.samples.rows import SampleRows
from livnd.errors import invalid_field
from livnd.system import System

_FORMATS = ("arrow", "parquet")


def convert_samples(
    path: Path, to: str, out: Path, options: Options, *, overwrite: bool = False
) -> Converted:
    """Makes a folder of a folder of samples: a folder or file a split, its metadata and its card.

    "arrow" is what save_to_disk() of a DatasetDict leaves, "parquet" a repository of a hub. Of the
    options layout, system and progress count.

    Raises:
        BadFileError: a file is missing, damaged, or none of the plan.
        InvalidFieldError: an argument is wrong, or does not go with the samples.
    """
    if to not in _FORMATS:
        raise invalid_field("to", to, f"{' or '.join(_FORMATS)}: what samples become")
    if options.layout not in LAYOUTS:
        raise invalid_field("layout", options.layout, ", ".join(LAYOUTS))
    folder = SampleFolder(path)
    made = Converted(out, to)
    system = _system_of(folder, options) if options.layout == "channels" else None
    rows = SampleRows(folder, options.layout, system)
    with new_output(out, overwrite) as new:
        new.mkdir()
        splits = _splits_of(folder)
        write = _write_arrow if to == "arrow" else _write_parquet
        files = {}
        for name, (begin, end) in splits.items():
            before = rows.counts["rows"]
            files[name] = write(new, name, rows, begin, end, options)
            if rows.counts["rows"] == before:
                made.notes.append(f"{name}: no samples that are good, and so no rows")
        if to == "arrow":
            (new / "dataset_dict.json").write_text(json.dumps({"splits": list(splits)}) + "\n")
        _write_metadata(folder, new)
        card = path / "README.md"
        if card.is_file():
            head = _head_of(files) if to == "parquet" else ""
            (new / "README.md").write_text(head + card.read_text())
    made.counts = {"rows": rows.counts["rows"], "spikes": rows.counts["spikes"]}
    made.counts["files"] = sum(len(names) for names in files.values())
    if rows.counts["failed"]:
        made.is_complete = False
        made.notes.append(
            f"{rows.counts['failed']} samples left the range of numbers and are left out"
        )
    if not folder.is_whole:
        made.is_complete = False
        first, end = folder.plan["range"]
        made.notes.append(f"these are samples {first} .. {end - 1} of {folder.plan['count']}")
    return made


def _splits_of(folder: SampleFolder) -> dict[str, tuple[int, int]]:
    """Those of which the folder has samples, and which these are."""
    first, last = folder.plan["range"]
    cut = {name: (max(a, first), min(b, last)) for name, (a, b) in folder.splits.items()}
    return {name: ends for name, ends in cut.items() if ends[0] < ends[1]}


def _system_of(folder: SampleFolder, options: Options) -> System:
    """The system whose electrodes hear: that of --system, or where the samples were made."""
    plan = folder.plan
    if options.system is not None:
        system = options.system
    else:
        try:
            system = System(plan["system"])
        except (OSError, ValueError) as error:
            accepted = f"{plan['name']}, whose electrodes hear its cells ({error})"
            raise invalid_field("system", "None", accepted) from None
    for name, digest in plan["files"].items():
        file = Path(system.uri) / name
        # What decides which cells an electrode hears.
        if name not in ("cells.h5", "graph.h5", "mea.json") or not file.is_file():
            continue
        if hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            accepted = f"the system of the samples, whose {name} is another"
            raise invalid_field("system", str(system.uri), accepted)
    return system


def _write_arrow(
    out: Path, name: str, rows: SampleRows, begin: int, end: int, options: Options
) -> list[str]:
    path = out / name
    path.mkdir()
    names, digest = write_shards(path, rows.schema, _told(rows, name, begin, end, options))
    write_state(path, names, digest, f"Samples of a simulated culture, by livnd: {name}")
    return names


def _write_parquet(
    out: Path, name: str, rows: SampleRows, begin: int, end: int, options: Options
) -> list[str]:
    parquet = extras.load("pyarrow.parquet", "data", "writing rows")
    file = f"{name}-00000-of-00001.parquet"
    with parquet.ParquetWriter(
        out / file, rows.schema, compression="zstd", write_page_checksum=True
    ) as writer:
        for batch in _told(rows, name, begin, end, options):
            writer.write_batch(batch)
    return [file]


def _told(rows: SampleRows, name: str, begin: int, end: int, options: Options) -> Any:
    for batch, until in rows.batches(begin, end):
        yield batch
        options.progress(f"writing {name}", until - begin, end - begin)


def _write_metadata(folder: SampleFolder, out: Path) -> None:
    file = "conversion_metadata.json"
    if (folder.path / file).is_file():
        shutil.copyfile(folder.path / file, out / file)


def _head_of(files: dict[str, list[str]]) -> str:
    """What a hub, and load_dataset(), read of a card."""
    listed = "".join(f"  - split: {name}\n    path: {name}-*.parquet\n" for name in files)
    return f"---\nconfigs:\n- config_name: default\n  data_files:\n{listed}---\n\n"
