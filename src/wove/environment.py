"""Public path of the executors and of the errors of delivery."""

from __future__ import annotations

from wove.errors import (
    CallbackUnreachableError,
    DeliveryError,
    DeliveryOrphanedError,
    DeliveryTimeoutError,
    EnvironmentExecutionError,
    ErrorCode,
    MissingDispatchFeatureError,
    MissingPackageError,
    PayloadTooLargeError,
    ResultNotPicklableError,
    SubmissionError,
    VersionMismatchError,
    WorkerLostError,
)
from wove.executors.backend import BackendAdapterEnvironmentExecutor
from wove.executors.base import EnvironmentExecutor
from wove.executors.local import LocalEnvironmentExecutor

__all__ = [
    "BackendAdapterEnvironmentExecutor",
    "CallbackUnreachableError",
    "DeliveryError",
    "DeliveryOrphanedError",
    "DeliveryTimeoutError",
    "EnvironmentExecutionError",
    "EnvironmentExecutor",
    "ErrorCode",
    "LocalEnvironmentExecutor",
    "MissingDispatchFeatureError",
    "MissingPackageError",
    "PayloadTooLargeError",
    "ResultNotPicklableError",
    "SubmissionError",
    "VersionMismatchError",
    "WorkerLostError",
]
