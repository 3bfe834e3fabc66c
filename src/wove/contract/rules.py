"""What a value must be beyond its type."""

from __future__ import annotations

import re

from wove.contract.errors import ContractError

__all__ = ["require_drawn_id", "require_interval", "require_run_id"]

MAX_RUN_ID = 255
_is_drawn_id = re.compile(r"[A-Za-z0-9_-]{1,128}").fullmatch


def require_run_id(run_id: str) -> None:
    """A run's name: any text of 1 to 255 characters."""
    if not run_id:
        raise ContractError("missing_field", "run_id", "expected the run's name")
    if len(run_id) > MAX_RUN_ID:
        raise ContractError("invalid_id", "run_id", f"expected at most {MAX_RUN_ID} characters")


def require_drawn_id(name: str, value: str) -> None:
    """A name drawn at random by a worker; older workers draw none."""
    if value and not _is_drawn_id(value):
        raise ContractError("invalid_id", name, "expected 1 to 128 of A-Z a-z 0-9 _ -")


def require_interval(name: str, seconds: float) -> None:
    """Seconds between two beats."""
    if seconds <= 0:
        raise ContractError("out_of_range", name, "expected seconds above 0")
