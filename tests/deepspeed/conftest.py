"""DeepSpeed looks for its accelerator when it is imported."""

from __future__ import annotations

import os

os.environ.setdefault("DS_ACCELERATOR", "cpu")
