"""Whole-machine tests: they boot Gangway and judge by what the guest and the
log say."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
