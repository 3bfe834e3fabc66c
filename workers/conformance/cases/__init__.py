"""The cases. Importing this package registers them, in this order."""

from workers.conformance.cases import (  # noqa: F401 - they register themselves
    always,
    cancel,
    errors,
    extensions,
    heartbeats,
    identity,
    payloads,
    program,
    refused,
    retries,
    routes,
    start_gate,
    undelivered,
    values,
)  # fmt: skip
