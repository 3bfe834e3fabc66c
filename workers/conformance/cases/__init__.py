"""The cases. Importing this package registers them, in this order."""

from importlib import import_module

__all__ = ["MODULES"]

MODULES = (
    "values",
    "errors",
    "identity",
    "start_gate",
    "retries",
    "refused",
    "undelivered",
    "heartbeats",
    "cancel",
    "extensions",
    "payloads",
    "program",
    "routes",
    "always",
)

for _name in MODULES:
    import_module(f"{__name__}.{_name}")
