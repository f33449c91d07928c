"""Recordings in the forms of others: livn's rows, NWB, the HDF5 layout of the CL API."""

from livnd.datasets.formats.convert import convert
from livnd.datasets.formats.options import FORMATS, LAYOUTS, Converted

__all__ = ["FORMATS", "LAYOUTS", "Converted", "convert"]
