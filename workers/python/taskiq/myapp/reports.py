"""What the example's tasks call. Each says which process did the work."""

from __future__ import annotations

import os
from typing import Any


def load_account() -> dict[str, Any]:
    """The account that the report is about."""
    return {"name": "Ada", "entries": [120, -35, 410], "loaded_in_process": os.getpid()}


def build_report(account: dict[str, Any]) -> dict[str, Any]:
    """A report over the account's entries."""
    return {
        "title": f"Report for {account['name']}",
        "balance": sum(account["entries"]),
        "built_in_process": os.getpid(),
    }
