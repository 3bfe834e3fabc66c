from __future__ import annotations

import pytest

from tests.interop import published


@pytest.fixture(scope="session")
def published_python() -> str:
    """Interpreter that has the published package."""
    return published.python()
