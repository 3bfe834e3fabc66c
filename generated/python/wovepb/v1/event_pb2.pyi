from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Event(_message.Message):
    __slots__ = ("run_id", "task_id", "event_id", "emitted_at", "attempt", "execution_id", "backend_attempt", "sequence", "task_started", "task_result", "task_error", "task_cancelled", "heartbeat", "progress", "log")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    EMITTED_AT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    BACKEND_ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TASK_STARTED_FIELD_NUMBER: _ClassVar[int]
    TASK_RESULT_FIELD_NUMBER: _ClassVar[int]
    TASK_ERROR_FIELD_NUMBER: _ClassVar[int]
    TASK_CANCELLED_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    task_id: str
    event_id: str
    emitted_at: float
    attempt: int
    execution_id: str
    backend_attempt: int
    sequence: int
    task_started: TaskStarted
    task_result: TaskResult
    task_error: TaskError
    task_cancelled: TaskCancelled
    heartbeat: Heartbeat
    progress: Progress
    log: Log
    def __init__(self, run_id: _Optional[str] = ..., task_id: _Optional[str] = ..., event_id: _Optional[str] = ..., emitted_at: _Optional[float] = ..., attempt: _Optional[int] = ..., execution_id: _Optional[str] = ..., backend_attempt: _Optional[int] = ..., sequence: _Optional[int] = ..., task_started: _Optional[_Union[TaskStarted, _Mapping]] = ..., task_result: _Optional[_Union[TaskResult, _Mapping]] = ..., task_error: _Optional[_Union[TaskError, _Mapping]] = ..., task_cancelled: _Optional[_Union[TaskCancelled, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., log: _Optional[_Union[Log, _Mapping]] = ...) -> None: ...

class TaskStarted(_message.Message):
    __slots__ = ("worker_id", "heartbeat_seconds", "backend_job_id", "backend_worker")
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    BACKEND_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    BACKEND_WORKER_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    heartbeat_seconds: float
    backend_job_id: str
    backend_worker: str
    def __init__(self, worker_id: _Optional[str] = ..., heartbeat_seconds: _Optional[float] = ..., backend_job_id: _Optional[str] = ..., backend_worker: _Optional[str] = ...) -> None: ...

class TaskResult(_message.Message):
    __slots__ = ("result_pickle", "result_json")
    RESULT_PICKLE_FIELD_NUMBER: _ClassVar[int]
    RESULT_JSON_FIELD_NUMBER: _ClassVar[int]
    result_pickle: bytes
    result_json: str
    def __init__(self, result_pickle: _Optional[bytes] = ..., result_json: _Optional[str] = ...) -> None: ...

class TaskError(_message.Message):
    __slots__ = ("exception_pickle", "error_pickle", "error")
    EXCEPTION_PICKLE_FIELD_NUMBER: _ClassVar[int]
    ERROR_PICKLE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    exception_pickle: bytes
    error_pickle: bytes
    error: ErrorInfo
    def __init__(self, exception_pickle: _Optional[bytes] = ..., error_pickle: _Optional[bytes] = ..., error: _Optional[_Union[ErrorInfo, _Mapping]] = ...) -> None: ...

class ErrorInfo(_message.Message):
    __slots__ = ("kind", "message", "traceback", "retryable", "source", "cause", "code", "exceptions")
    KIND_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TRACEBACK_FIELD_NUMBER: _ClassVar[int]
    RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    EXCEPTIONS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    message: str
    traceback: str
    retryable: bool
    source: str
    cause: ErrorInfo
    code: str
    exceptions: _containers.RepeatedCompositeFieldContainer[ErrorInfo]
    def __init__(self, kind: _Optional[str] = ..., message: _Optional[str] = ..., traceback: _Optional[str] = ..., retryable: bool = ..., source: _Optional[str] = ..., cause: _Optional[_Union[ErrorInfo, _Mapping]] = ..., code: _Optional[str] = ..., exceptions: _Optional[_Iterable[_Union[ErrorInfo, _Mapping]]] = ...) -> None: ...

class TaskCancelled(_message.Message):
    __slots__ = ("reason", "forced")
    REASON_FIELD_NUMBER: _ClassVar[int]
    FORCED_FIELD_NUMBER: _ClassVar[int]
    reason: str
    forced: bool
    def __init__(self, reason: _Optional[str] = ..., forced: bool = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Progress(_message.Message):
    __slots__ = ("current", "total", "unit", "message")
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    current: float
    total: float
    unit: str
    message: str
    def __init__(self, current: _Optional[float] = ..., total: _Optional[float] = ..., unit: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Log(_message.Message):
    __slots__ = ("level", "message", "logger", "stream")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    LOGGER_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    level: str
    message: str
    logger: str
    stream: str
    def __init__(self, level: _Optional[str] = ..., message: _Optional[str] = ..., logger: _Optional[str] = ..., stream: _Optional[str] = ...) -> None: ...
