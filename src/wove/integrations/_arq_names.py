"""Names that both sides of arq must agree on."""

from __future__ import annotations

__all__ = ["DEFAULT_FUNCTION", "DEFAULT_QUEUE"]

DEFAULT_FUNCTION = "wove_run_backend_payload"

DEFAULT_QUEUE = "arq:queue"
"""arq's own default."""
