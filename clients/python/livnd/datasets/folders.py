"""Which files of a folder are a data set, and of which split."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from livnd import extras
from livnd.errors import bad_file, invalid_field

_SUFFIXES = (".parquet", ".arrow")
# Of one of several files: "train-00000-of-00004", "data-00003".
_SHARD = re.compile(r"-\d{5}(-of-\d{5})?$")
# Where livn keeps data sets in its repository.
_BELOW = ("", "systems/datasets", "systems/data", "data")
_DEFAULT_SPLIT = "train"


def find_splits(path: Path, name: str | None) -> dict[str, list[Path]]:
    """The files of each split of a data set.

    In this order: a file; what README.md lists; what save_to_disk() listed; folders and names of
    files ("train/...", "train-00000-of-00004.parquet").

    Raises:
        FileNotFoundError: there is nothing at that path.
        BadFileError: there is, but no data set.
        InvalidFieldError: it has no part of that name, or several and none was named.
    """
    if path.is_file():
        return {_DEFAULT_SPLIT: [path]}
    if not path.is_dir():
        raise FileNotFoundError(
            f"{path}: no such folder; a data set of a hub has to be copied there first"
        )
    configs = _configurations(path)
    if configs:
        return _configured(path, configs, name)
    if name is not None:
        for below in _BELOW:
            folder = path / below / name
            if folder.is_dir():
                return find_splits(folder, None)
        known = sorted({one.name for below in _BELOW for one in _folders(path / below)})
        raise invalid_field("name", name, ", ".join(known) or "None: it has no parts")
    splits = _saved(path) or _grouped(path)
    if splits:
        return splits
    inner = _folders(path)
    if len(inner) == 1:
        return find_splits(inner[0], None)
    if inner:
        raise invalid_field("name", None, ", ".join(one.name for one in inner))
    raise bad_file(path, "", "a folder without data", "Parquet or Arrow files")


def listed_files(folder: Path) -> list[Path]:
    """The files that save_to_disk() listed in a folder's state.json."""
    state = _json(folder / "state.json")
    field = "_data_files"
    listed: Any = state.get(field)
    if state.get("_indices_files") or state.get("_indices_data_files"):
        raise bad_file(folder / "state.json", "_indices_files", "listed", "rows without an index")
    names = [one.get("filename") for one in listed] if _are_objects(listed) else [None]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise bad_file(folder / "state.json", field, listed, "a list of filenames")
    return [_within(folder, name, folder / "state.json", field) for name in names]


def _saved(path: Path) -> dict[str, list[Path]]:
    """What save_to_disk() left, or livn's merge."""
    if (path / "state.json").is_file():
        return {_DEFAULT_SPLIT: listed_files(path)}
    file = path / "dataset_dict.json"
    if not file.is_file():
        return {}
    splits = _json(file).get("splits")
    if not isinstance(splits, (list, dict)) or not splits:
        raise bad_file(file, "splits", splits, "a list of splits")
    found = {}
    for split in splits:
        folder = _within(path, split, file, "splits")
        if not folder.is_dir():
            raise bad_file(file, "splits", split, "folders beside it")
        has_state = (folder / "state.json").is_file()
        found[split] = listed_files(folder) if has_state else _data_files(folder)
        if not found[split]:
            raise bad_file(folder, "", "a folder without data", "Parquet or Arrow files")
    return found


def _grouped(path: Path) -> dict[str, list[Path]]:
    """Files by their names, and folders of files by the folders'."""
    found: dict[str, list[Path]] = {}
    for file in _data_files(path):
        split = _SHARD.sub("", file.stem)
        found.setdefault(_DEFAULT_SPLIT if split == "data" else split, []).append(file)
    for folder in _folders(path):
        has_state = (folder / "state.json").is_file()
        files = listed_files(folder) if has_state else _data_files(folder)
        if files:
            found.setdefault(folder.name, []).extend(files)
    return found


# --- README.md -----------------------------------------------------------------------------------


def _configurations(path: Path) -> list[dict[str, Any]]:
    """What the head of a hub's README.md says of its files; [] if nothing."""
    readme = path / "README.md"
    if not readme.is_file():
        return []
    head = re.match(r"---\s*\n(.*?)\n---\s*(\n|$)", readme.read_text(errors="replace"), re.DOTALL)
    if head is None or "configs:" not in head[1]:
        return []
    yaml = extras.load("yaml", "data", "reading the head of README.md")
    try:
        configs = yaml.safe_load(head[1]).get("configs")
    except (yaml.YAMLError, AttributeError) as error:
        text = " ".join(str(error).split())
        raise bad_file(readme, "configs", f"unreadable ({text})", "YAML") from None
    if not _are_objects(configs) or not all(
        isinstance(one.get("config_name"), str) and one.get("data_files") for one in configs
    ):
        raise bad_file(readme, "configs", configs, "a list of config_name and data_files")
    return configs


def _configured(
    path: Path, configs: list[dict[str, Any]], name: str | None
) -> dict[str, list[Path]]:
    known = ", ".join(one["config_name"] for one in configs)
    default = [one for one in configs if one.get("default") or one["config_name"] == "default"]
    wanted = [one for one in configs if one["config_name"] == name]
    if name is None:
        wanted = configs if len(configs) == 1 else default
    if not wanted:
        raise invalid_field("name", name, known)
    config = wanted[0]
    listed = config["data_files"]
    if not _are_objects(listed):
        listed = [{"split": _DEFAULT_SPLIT, "path": listed}]
    found = {}
    for one in listed:
        patterns = one.get("path")
        patterns = [patterns] if isinstance(patterns, str) else patterns
        split = one.get("split")
        if not isinstance(patterns, list) or not isinstance(split, str):
            raise bad_file(path / "README.md", "data_files", one, "a split and its path")
        found[split] = _matching(path, patterns, config.get("data_dir"))
    return found


def _matching(path: Path, patterns: Iterable[Any], below: Any) -> list[Path]:
    field, found = "data_files", []
    for pattern in patterns:
        pattern = str(PurePosixPath(below or "", str(pattern)))
        _within(path, pattern, path / "README.md", field)
        files = sorted(file for file in path.glob(pattern) if file.is_file())
        if not files:
            raise bad_file(path / "README.md", field, pattern, "files that are there")
        found += files
    return found


# --- files ---------------------------------------------------------------------------------------


def _data_files(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if one.suffix in _SUFFIXES and one.is_file())


def _folders(path: Path) -> list[Path]:
    if not path.is_dir():
        return []
    return sorted(one for one in path.iterdir() if one.is_dir() and not one.name.startswith("."))


def _within(folder: Path, name: Any, file: Path, field: str) -> Path:
    """The path of a name that a file gives; it may not lead out of the folder."""
    path = PurePosixPath(name) if isinstance(name, str) else None
    if path is None or path.is_absolute() or ".." in path.parts:
        raise bad_file(file, field, name, "names below its folder")
    return folder / path


def _are_objects(listed: Any) -> bool:
    return isinstance(listed, list) and all(isinstance(one, dict) for one in listed)


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except ValueError as error:
        raise bad_file(file, "", f"no JSON ({error})", "a JSON object") from None
    if not isinstance(found, dict):
        raise bad_file(file, "", f"a {type(found).__name__}", "a JSON object")
    return found
