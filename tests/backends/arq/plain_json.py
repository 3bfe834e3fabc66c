"""Jobs as JSON, as an application may have them."""

from __future__ import annotations

import json
from typing import Any


def as_json(data: dict[str, Any]) -> bytes:
    return json.dumps(data).encode()
