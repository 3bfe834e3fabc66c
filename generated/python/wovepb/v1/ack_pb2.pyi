from wovepb.v1 import command_pb2 as _command_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EventAck(_message.Message):
    __slots__ = ("event_id", "duplicate", "code", "message", "cancel", "retry_after_seconds", "heartbeat_seconds", "receiver_id")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_SECONDS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_ID_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    duplicate: bool
    code: int
    message: str
    cancel: _command_pb2.CancelTask
    retry_after_seconds: float
    heartbeat_seconds: float
    receiver_id: str
    def __init__(self, event_id: _Optional[str] = ..., duplicate: bool = ..., code: _Optional[int] = ..., message: _Optional[str] = ..., cancel: _Optional[_Union[_command_pb2.CancelTask, _Mapping]] = ..., retry_after_seconds: _Optional[float] = ..., heartbeat_seconds: _Optional[float] = ..., receiver_id: _Optional[str] = ...) -> None: ...
