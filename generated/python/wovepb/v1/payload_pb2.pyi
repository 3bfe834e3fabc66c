from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TaskPayload(_message.Message):
    __slots__ = ("version", "adapter", "callback_url", "run_id", "task_id", "task_name", "callable_pickle", "args_pickle", "delivery", "args_json", "callback_grpc", "receiver_id", "attempt", "start_gate", "accepts", "max_event_bytes", "delivery_retry_seconds", "origin", "traceparent", "issued_at")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    CALLBACK_URL_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_NAME_FIELD_NUMBER: _ClassVar[int]
    CALLABLE_PICKLE_FIELD_NUMBER: _ClassVar[int]
    ARGS_PICKLE_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    ARGS_JSON_FIELD_NUMBER: _ClassVar[int]
    CALLBACK_GRPC_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    START_GATE_FIELD_NUMBER: _ClassVar[int]
    ACCEPTS_FIELD_NUMBER: _ClassVar[int]
    MAX_EVENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_RETRY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    version: int
    adapter: str
    callback_url: str
    run_id: str
    task_id: str
    task_name: str
    callable_pickle: bytes
    args_pickle: bytes
    delivery: Delivery
    args_json: str
    callback_grpc: str
    receiver_id: str
    attempt: int
    start_gate: str
    accepts: _containers.RepeatedScalarFieldContainer[str]
    max_event_bytes: int
    delivery_retry_seconds: float
    origin: Origin
    traceparent: str
    issued_at: float
    def __init__(self, version: _Optional[int] = ..., adapter: _Optional[str] = ..., callback_url: _Optional[str] = ..., run_id: _Optional[str] = ..., task_id: _Optional[str] = ..., task_name: _Optional[str] = ..., callable_pickle: _Optional[bytes] = ..., args_pickle: _Optional[bytes] = ..., delivery: _Optional[_Union[Delivery, _Mapping]] = ..., args_json: _Optional[str] = ..., callback_grpc: _Optional[str] = ..., receiver_id: _Optional[str] = ..., attempt: _Optional[int] = ..., start_gate: _Optional[str] = ..., accepts: _Optional[_Iterable[str]] = ..., max_event_bytes: _Optional[int] = ..., delivery_retry_seconds: _Optional[float] = ..., origin: _Optional[_Union[Origin, _Mapping]] = ..., traceparent: _Optional[str] = ..., issued_at: _Optional[float] = ...) -> None: ...

class Origin(_message.Message):
    __slots__ = ("python", "wove", "cloudpickle")
    PYTHON_FIELD_NUMBER: _ClassVar[int]
    WOVE_FIELD_NUMBER: _ClassVar[int]
    CLOUDPICKLE_FIELD_NUMBER: _ClassVar[int]
    python: str
    wove: str
    cloudpickle: str
    def __init__(self, python: _Optional[str] = ..., wove: _Optional[str] = ..., cloudpickle: _Optional[str] = ...) -> None: ...

class Delivery(_message.Message):
    __slots__ = ("delivery_timeout", "delivery_idempotency_key", "delivery_cancel_mode", "delivery_heartbeat_seconds", "delivery_orphan_policy")
    DELIVERY_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_CANCEL_MODE_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_HEARTBEAT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_ORPHAN_POLICY_FIELD_NUMBER: _ClassVar[int]
    delivery_timeout: float
    delivery_idempotency_key: str
    delivery_cancel_mode: str
    delivery_heartbeat_seconds: float
    delivery_orphan_policy: str
    def __init__(self, delivery_timeout: _Optional[float] = ..., delivery_idempotency_key: _Optional[str] = ..., delivery_cancel_mode: _Optional[str] = ..., delivery_heartbeat_seconds: _Optional[float] = ..., delivery_orphan_policy: _Optional[str] = ...) -> None: ...
