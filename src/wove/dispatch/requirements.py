"""What must be there before a pickle may cross: the packages, and the same Python."""

from __future__ import annotations

import functools
import importlib.util
import sys
from typing import TYPE_CHECKING

from wove import __version__
from wove.errors import MissingDispatchFeatureError, VersionMismatchError

if TYPE_CHECKING:  # this module must load without the packages that it asks for
    from wovepb.v1.payload_pb2 import Origin

__all__ = [
    "PAYLOAD_VERSION",
    "check_origin",
    "check_version",
    "current_origin",
    "has_dispatch",
    "require_dispatch",
]

PAYLOAD_VERSION = 1
"""The newest `TaskPayload.version` that this Wove knows."""


def require_dispatch(reason: str) -> None:
    """Check that the packages of `wove[dispatch]` are installed.

    Args:
        reason: what needs them, as the beginning of a sentence: "the celery executor".

    Raises:
        MissingDispatchFeatureError: one is missing; the message has the install command.
    """
    if not has_dispatch():
        raise MissingDispatchFeatureError(reason)


def current_origin() -> Origin:
    """Versions of this process's Python, Wove and cloudpickle. Do not change it: it is shared."""
    return _origin()


def check_version(version: int) -> None:
    """Refuse a payload made by a Wove that is too new for this one.

    Raises:
        VersionMismatchError: `version` is above `PAYLOAD_VERSION`.
    """
    if version > PAYLOAD_VERSION:
        raise VersionMismatchError(
            f"the payload has version {version}, and this worker's Wove {__version__} knows "
            f"versions up to {PAYLOAD_VERSION}. Install the weave's version of Wove on the worker."
        )


def check_origin(origin: Origin) -> None:
    """Refuse pickles of another Python: their bytecode means something else here, or crashes.

    Args:
        origin: of the payload; an empty one (the published package's) is not judged.

    Raises:
        VersionMismatchError: its Python differs from this one in major or minor version.
    """
    here = current_origin().python
    if origin.python and origin.python.split(".")[:2] != here.split(".")[:2]:
        wanted = ".".join(origin.python.split(".")[:2])
        raise VersionMismatchError(
            f"the task was pickled by Python {origin.python}, and the worker runs Python {here} "
            f"({sys.executable}): pickled functions do not load across minor versions. "
            f"Run the worker with Python {wanted}, or the weave with Python "
            f"{'.'.join(here.split('.')[:2])}."
        )


@functools.lru_cache(maxsize=1)
def _origin() -> Origin:
    import cloudpickle  # type: ignore[import-untyped]

    from wovepb.v1.payload_pb2 import Origin

    python = ".".join(str(part) for part in sys.version_info[:3])
    return Origin(python=python, wove=__version__, cloudpickle=cloudpickle.__version__)


def has_dispatch() -> bool:
    """Whether the packages of `wove[dispatch]` are installed."""
    try:
        specs = [
            importlib.util.find_spec(n) for n in ("cloudpickle", "httptools", "google.protobuf")
        ]
    except ModuleNotFoundError:  # no package `google` at all
        return False
    return None not in specs
