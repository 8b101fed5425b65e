"""Small real files of many types for the golden set. Every byte is written here or by Python's standard library."""

from .binary import BINARY
from .text import TEXT
from .unusual import UNUSUAL

#: Case name -> the content, then the labels that are right for it (one, unless the releases may differ).
SAMPLES = {**TEXT, **BINARY, **UNUSUAL}
