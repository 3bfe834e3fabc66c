from wovepb.v1 import ack_pb2 as _ack_pb2
from wovepb.v1 import command_pb2 as _command_pb2
from wovepb.v1 import event_pb2 as _event_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PublishEventRequest(_message.Message):
    __slots__ = ("event",)
    EVENT_FIELD_NUMBER: _ClassVar[int]
    event: _event_pb2.Event
    def __init__(self, event: _Optional[_Union[_event_pb2.Event, _Mapping]] = ...) -> None: ...

class PublishEventResponse(_message.Message):
    __slots__ = ("ack",)
    ACK_FIELD_NUMBER: _ClassVar[int]
    ack: _ack_pb2.EventAck
    def __init__(self, ack: _Optional[_Union[_ack_pb2.EventAck, _Mapping]] = ...) -> None: ...

class StreamEventsRequest(_message.Message):
    __slots__ = ("event",)
    EVENT_FIELD_NUMBER: _ClassVar[int]
    event: _event_pb2.Event
    def __init__(self, event: _Optional[_Union[_event_pb2.Event, _Mapping]] = ...) -> None: ...

class StreamEventsResponse(_message.Message):
    __slots__ = ("ack", "cancel_task")
    ACK_FIELD_NUMBER: _ClassVar[int]
    CANCEL_TASK_FIELD_NUMBER: _ClassVar[int]
    ack: _ack_pb2.EventAck
    cancel_task: _command_pb2.CancelTask
    def __init__(self, ack: _Optional[_Union[_ack_pb2.EventAck, _Mapping]] = ..., cancel_task: _Optional[_Union[_command_pb2.CancelTask, _Mapping]] = ...) -> None: ...
