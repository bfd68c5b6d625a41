"""Measurements that print ratios against a baseline of the same run. They stand on the tests' support."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
