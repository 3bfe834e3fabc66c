"""Calls of EventService by hand."""

from __future__ import annotations

import queue
from collections.abc import Sequence
from typing import Any

import grpc
import pytest

from tests.unit.receiver.conftest import Place
from tests.unit.receiver.wire import LIMIT
from wove.contract import event_to_bytes
from wove.contract.services import (
    PUBLISH_METHOD,
    STREAM_METHOD,
    ack_from_answer,
    request_from_event,
)
from wove.receiver.grpc_settings import GrpcSettings
from wovepb.v1.ack_pb2 import EventAck
from wovepb.v1.event_pb2 import Event
from wovepb.v1.event_service_pb2 import StreamEventsResponse

LOCAL = GrpcSettings(host="127.0.0.1")


class Client:
    """A channel to one receiver."""

    def __init__(
        self,
        place: Place,
        port: int,
        *,
        tls: grpc.ChannelCredentials | None = None,
        options: Sequence[tuple[str, int]] = (),
        **metadata: str,
    ) -> None:
        address, options = f"127.0.0.1:{port}", [("grpc.use_local_subchannel_pool", 1), *options]
        self.channel = (
            grpc.insecure_channel(address, options)
            if tls is None
            else grpc.secure_channel(address, tls, options)
        )
        sent = {
            "authorization": f"Bearer {place.receiver.token}",
            "wove-receiver": place.hub.receiver_id,
            **metadata,
        }
        self.metadata = tuple((name.replace("_", "-"), value) for name, value in sent.items())

    def publish(self, event: Event | bytes) -> EventAck:
        data = event if isinstance(event, bytes) else request_from_event(event_to_bytes(event))
        call = self.channel.unary_unary(PUBLISH_METHOD)
        return ack_from_answer(call(data, metadata=self.metadata, timeout=LIMIT))

    def refused(self, event: Event | bytes) -> tuple[grpc.StatusCode, dict[str, str]]:
        with pytest.raises(grpc.RpcError) as caught:
            self.publish(event)
        error: Any = caught.value
        return error.code(), dict(error.trailing_metadata())

    def stream(self) -> Call:
        return Call(self)


class Call:
    """One StreamEvents call, read by hand."""

    def __init__(self, client: Client) -> None:
        self.up: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        method = client.channel.stream_stream(STREAM_METHOD)
        self.down: Any = method(iter(self.up.get, None), metadata=client.metadata, timeout=LIMIT)

    def send(self, event: Event | bytes) -> None:
        data = event if isinstance(event, bytes) else request_from_event(event_to_bytes(event))
        self.up.put(data)

    def next(self) -> StreamEventsResponse:
        return StreamEventsResponse.FromString(next(self.down))

    def ack(self, event: Event | bytes) -> EventAck:
        self.send(event)
        return self.next().ack

    def end(self) -> None:
        self.up.put(None)
        assert list(self.down) == []
