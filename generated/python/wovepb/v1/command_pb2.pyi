from wovepb.v1 import payload_pb2 as _payload_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Command(_message.Message):
    __slots__ = ("run_task", "cancel_task", "shutdown")
    RUN_TASK_FIELD_NUMBER: _ClassVar[int]
    CANCEL_TASK_FIELD_NUMBER: _ClassVar[int]
    SHUTDOWN_FIELD_NUMBER: _ClassVar[int]
    run_task: RunTask
    cancel_task: CancelTask
    shutdown: Shutdown
    def __init__(self, run_task: _Optional[_Union[RunTask, _Mapping]] = ..., cancel_task: _Optional[_Union[CancelTask, _Mapping]] = ..., shutdown: _Optional[_Union[Shutdown, _Mapping]] = ...) -> None: ...

class RunTask(_message.Message):
    __slots__ = ("run_id", "task_id", "callable_pickle", "args_pickle", "delivery", "args_json", "attempt", "origin", "accepts", "supersedes")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    CALLABLE_PICKLE_FIELD_NUMBER: _ClassVar[int]
    ARGS_PICKLE_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    ARGS_JSON_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    ACCEPTS_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDES_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    task_id: str
    callable_pickle: bytes
    args_pickle: bytes
    delivery: _payload_pb2.Delivery
    args_json: str
    attempt: int
    origin: _payload_pb2.Origin
    accepts: _containers.RepeatedScalarFieldContainer[str]
    supersedes: str
    def __init__(self, run_id: _Optional[str] = ..., task_id: _Optional[str] = ..., callable_pickle: _Optional[bytes] = ..., args_pickle: _Optional[bytes] = ..., delivery: _Optional[_Union[_payload_pb2.Delivery, _Mapping]] = ..., args_json: _Optional[str] = ..., attempt: _Optional[int] = ..., origin: _Optional[_Union[_payload_pb2.Origin, _Mapping]] = ..., accepts: _Optional[_Iterable[str]] = ..., supersedes: _Optional[str] = ...) -> None: ...

class CancelTask(_message.Message):
    __slots__ = ("run_id", "task_id", "delivery_cancel_mode", "delivery_orphan_policy")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_CANCEL_MODE_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_ORPHAN_POLICY_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    task_id: str
    delivery_cancel_mode: str
    delivery_orphan_policy: str
    def __init__(self, run_id: _Optional[str] = ..., task_id: _Optional[str] = ..., delivery_cancel_mode: _Optional[str] = ..., delivery_orphan_policy: _Optional[str] = ...) -> None: ...

class Shutdown(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
