"""Folders that `livnd sample` and `livnd merge` write."""

from livnd.datasets.samples.convert import convert_samples
from livnd.datasets.samples.folder import Part, SampleFolder

__all__ = ["Part", "SampleFolder", "convert_samples"]
