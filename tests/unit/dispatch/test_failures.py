"""Failures as data, within the contract's limits, and back."""

from __future__ import annotations

import pytest

from wove.contract import event_from_bytes, event_from_json, event_to_bytes, event_to_json
from wove.dispatch.failures import RemoteTraceback, error_info, exception_from_error
from wove.dispatch.pickling import dumps
from wove.errors import (
    CallbackUnreachableError,
    DeliveryError,
    EnvironmentExecutionError,
    ErrorCode,
    PayloadTooLargeError,
    ResultNotPicklableError,
    VersionMismatchError,
    WorkerLostError,
)
from wovepb.v1.event_pb2 import ErrorInfo, Event, TaskError

FACTS = {
    "task": "report",
    "environment": "remote",
    "run_id": "r1",
    "backend": "celery",
    "backend_job_id": None,
}


def raised(exc: BaseException) -> BaseException:
    try:
        raise exc
    except BaseException as caught:
        return caught


def sendable(info: ErrorInfo) -> None:
    event = Event(run_id="r")
    event.task_error.error.CopyFrom(info)
    event_from_bytes(event_to_bytes(event))
    event_from_json(event_to_json(event))


def depth(info: ErrorInfo) -> int:
    return 1 + depth(info.cause) if info.HasField("cause") else 0


def test_a_chain_of_99_causes_is_cut_at_8() -> None:
    exc: BaseException = ValueError("the root")
    for number in range(99):
        outer = ValueError(str(number))
        outer.__cause__ = exc
        exc = outer
    info = error_info(raised(exc))
    assert depth(info) == 8
    sendable(info)


def test_a_cause_that_leads_back_to_itself_ends() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert depth(error_info(first)) == 8


def test_the_context_counts_as_cause_unless_it_is_suppressed() -> None:
    exc = ValueError("outer")
    exc.__context__ = KeyError("inner")
    assert error_info(exc).cause.kind == "KeyError"
    exc.__suppress_context__ = True
    assert not error_info(exc).HasField("cause")


def test_members_of_a_group_are_described() -> None:
    group = ValueError("some failed")
    group.exceptions = (KeyError("a"), TypeError("b"))  # type: ignore[attr-defined]
    assert [member.kind for member in error_info(group).exceptions] == ["KeyError", "TypeError"]


def test_messages_and_tracebacks_are_cut() -> None:
    info = error_info(raised(ValueError("ä" * 300_000)))
    assert len(info.message.encode()) <= 64 * 1024
    assert info.message.endswith("...")
    assert len(info.traceback.encode()) <= 256 * 1024
    assert "bytes cut" in info.traceback
    assert info.traceback.startswith("Traceback")
    assert info.traceback.endswith("ä\n")
    sendable(info)


def test_a_lone_surrogate_is_written_out() -> None:
    info = error_info(raised(ValueError("bad \ud800 text")))
    assert info.message == "bad \\ud800 text"
    sendable(info)


def test_an_exception_whose_text_raises_is_still_described() -> None:
    class Hostile(Exception):
        def __str__(self) -> str:
            raise SystemExit(1)

    info = error_info(raised(Hostile()))
    assert (info.kind, info.message) == ("Hostile", "<its __str__ raised SystemExit>")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (ErrorCode.RESULT_NOT_PICKLABLE, ResultNotPicklableError),
        (ErrorCode.RESULT_TOO_LARGE, PayloadTooLargeError),
        (ErrorCode.VERSION_MISMATCH, VersionMismatchError),
        (ErrorCode.CALLBACK_UNREACHABLE, CallbackUnreachableError),
        (ErrorCode.WORKER_LOST, WorkerLostError),
        (ErrorCode.PAYLOAD_NOT_LOADABLE, DeliveryError),
    ],
)
def test_a_code_of_woves_becomes_its_type_with_the_facts(
    code: ErrorCode, kind: type[DeliveryError]
) -> None:
    info = ErrorInfo(kind="X", message="what and why", source="wove", code=code.value)
    exc = exception_from_error(TaskError(error=info), FACTS)
    assert type(exc) is kind
    assert isinstance(exc, DeliveryError)
    assert (exc.code, str(exc)) == (code, "what and why")
    assert (exc.task, exc.environment, exc.run_id, exc.backend) == (
        "report",
        "remote",
        "r1",
        "celery",
    )


def test_a_tasks_own_code_is_not_taken_for_woves() -> None:
    info = ErrorInfo(kind="X", message="m", source="task", code="version_mismatch")
    exc = exception_from_error(TaskError(error=info), FACTS)
    assert type(exc) is EnvironmentExecutionError


def test_an_unknown_code_is_described() -> None:
    info = ErrorInfo(kind="X", message="m", source="wove", code="of_the_future")
    exc = exception_from_error(TaskError(error=info), FACTS)
    assert isinstance(exc, EnvironmentExecutionError)
    assert exc.payload["code"] == "of_the_future"


def test_a_pickle_that_does_not_load_falls_back_to_the_description() -> None:
    frame = TaskError(exception_pickle=b"cno_such_module\nX\n.", error=error_info(KeyError("k")))
    exc = exception_from_error(frame, FACTS)
    assert isinstance(exc, EnvironmentExecutionError)
    assert "KeyError: 'k'" in str(exc)
    assert "no_such_module" in str(exc)
    assert isinstance(exc.__cause__, RemoteTraceback)


def test_a_pickled_exit_does_not_end_the_weaves_process() -> None:
    frame = TaskError(
        exception_pickle=dumps(SystemExit(3)), error=ErrorInfo(kind="SystemExit", message="3")
    )
    assert isinstance(exception_from_error(frame, FACTS), EnvironmentExecutionError)


def test_the_published_packages_pickled_description() -> None:
    frame = TaskError(error_pickle=dumps({"kind": "ValueError", "message": "m"}))
    exc = exception_from_error(frame, FACTS)
    assert isinstance(exc, EnvironmentExecutionError)
    assert exc.payload == {"kind": "ValueError", "message": "m"}


class HostileAttribute(Exception):
    def __getattr__(self, name: str) -> object:
        raise RuntimeError("not yours")


class HostileMembers(Exception):
    @property
    def exceptions(self) -> object:
        raise SystemExit(3)


class HostileText(Exception):
    def __str__(self) -> str:
        class Odd(str):
            def encode(self, *_: object) -> bytes:
                raise RuntimeError("not yours")

        return Odd("odd")


@pytest.mark.parametrize("kind", [HostileAttribute, HostileMembers, HostileText])
def test_an_exception_whose_attributes_raise_is_still_described(kind: type[Exception]) -> None:
    assert error_info(kind("x")).kind == kind.__name__


def test_groups_that_share_their_members_stay_small() -> None:
    exc: BaseException = ValueError("deepest")
    for _ in range(8):
        outer = ExceptionWithMembers("group")
        outer.exceptions = (exc,) * 32
        exc = outer
    assert error_info(exc).ByteSize() < 100_000


class ExceptionWithMembers(Exception):
    exceptions: tuple[BaseException, ...] = ()
