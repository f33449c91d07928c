"""Recordings that a livnd server wrote (docs/recordings.md), read in parts."""

from livnd.datasets.recordings.file import Lost, RecordingFile
from livnd.datasets.recordings.places import array_of
from livnd.datasets.recordings.stream import Stream

__all__ = ["Lost", "RecordingFile", "Stream", "array_of"]
