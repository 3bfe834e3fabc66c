package dev.wove.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * EventService takes the events that workers otherwise post over HTTP. The events, their
 * order, their retries and what each answer means are those of event.proto and ack.proto;
 * this file says only what differs.
 * # Where, and who asks
 * A payload with `callback_grpc` offers the service; a worker MAY use it, and MUST be
 * able to report to `callback_url` all the same when it cannot make the channel. It
 * SHOULD do so too where what answers is never a receiver: at once after a code that
 * is not in the table below (PERMISSION_DENIED, UNIMPLEMENTED) and has no metadata
 * `wove-receiver`. Every call carries metadata:
 *     authorization    "Bearer " and the token of `callback_grpc`. Required.
 *     wove-receiver    the payload's `receiver_id`. Sent by workers whose payload has one.
 * Every answer carries the answering receiver's own id as `wove-receiver` in its initial
 * metadata, or in its trailing metadata where it has no other. An answer without it is not
 * a receiver's: UNAVAILABLE.
 * # Answers
 * A refusal is a gRPC status. Where a time to wait is known it is in the trailing metadata
 * `retry-after`, in seconds.
 *     OK                             as 2xx: accepted, or a duplicate
 *     INVALID_ARGUMENT               as 400
 *     UNAUTHENTICATED                as 404: the token is wrong; final
 *     FAILED_PRECONDITION            as 409
 *     NOT_FOUND                      as 410
 *     ABORTED                        as 421: try again on a new channel
 *     RESOURCE_EXHAUSTED             as 413
 *     UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, UNKNOWN, INTERNAL
 *                                    try again
 *     any other                      final
 * A receiver's own limit on a message is in the payload's `max_event_bytes`.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class EventServiceGrpc {

  private EventServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "wove.v1.EventService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<dev.wove.v1.PublishEventRequest,
      dev.wove.v1.PublishEventResponse> getPublishEventMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "PublishEvent",
      requestType = dev.wove.v1.PublishEventRequest.class,
      responseType = dev.wove.v1.PublishEventResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.wove.v1.PublishEventRequest,
      dev.wove.v1.PublishEventResponse> getPublishEventMethod() {
    io.grpc.MethodDescriptor<dev.wove.v1.PublishEventRequest, dev.wove.v1.PublishEventResponse> getPublishEventMethod;
    if ((getPublishEventMethod = EventServiceGrpc.getPublishEventMethod) == null) {
      synchronized (EventServiceGrpc.class) {
        if ((getPublishEventMethod = EventServiceGrpc.getPublishEventMethod) == null) {
          EventServiceGrpc.getPublishEventMethod = getPublishEventMethod =
              io.grpc.MethodDescriptor.<dev.wove.v1.PublishEventRequest, dev.wove.v1.PublishEventResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "PublishEvent"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.wove.v1.PublishEventRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.wove.v1.PublishEventResponse.getDefaultInstance()))
              .setSchemaDescriptor(new EventServiceMethodDescriptorSupplier("PublishEvent"))
              .build();
        }
      }
    }
    return getPublishEventMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.wove.v1.StreamEventsRequest,
      dev.wove.v1.StreamEventsResponse> getStreamEventsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "StreamEvents",
      requestType = dev.wove.v1.StreamEventsRequest.class,
      responseType = dev.wove.v1.StreamEventsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING)
  public static io.grpc.MethodDescriptor<dev.wove.v1.StreamEventsRequest,
      dev.wove.v1.StreamEventsResponse> getStreamEventsMethod() {
    io.grpc.MethodDescriptor<dev.wove.v1.StreamEventsRequest, dev.wove.v1.StreamEventsResponse> getStreamEventsMethod;
    if ((getStreamEventsMethod = EventServiceGrpc.getStreamEventsMethod) == null) {
      synchronized (EventServiceGrpc.class) {
        if ((getStreamEventsMethod = EventServiceGrpc.getStreamEventsMethod) == null) {
          EventServiceGrpc.getStreamEventsMethod = getStreamEventsMethod =
              io.grpc.MethodDescriptor.<dev.wove.v1.StreamEventsRequest, dev.wove.v1.StreamEventsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "StreamEvents"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.wove.v1.StreamEventsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.wove.v1.StreamEventsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new EventServiceMethodDescriptorSupplier("StreamEvents"))
              .build();
        }
      }
    }
    return getStreamEventsMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static EventServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<EventServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<EventServiceStub>() {
        @java.lang.Override
        public EventServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new EventServiceStub(channel, callOptions);
        }
      };
    return EventServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static EventServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<EventServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<EventServiceBlockingV2Stub>() {
        @java.lang.Override
        public EventServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new EventServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return EventServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static EventServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<EventServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<EventServiceBlockingStub>() {
        @java.lang.Override
        public EventServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new EventServiceBlockingStub(channel, callOptions);
        }
      };
    return EventServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static EventServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<EventServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<EventServiceFutureStub>() {
        @java.lang.Override
        public EventServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new EventServiceFutureStub(channel, callOptions);
        }
      };
    return EventServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * EventService takes the events that workers otherwise post over HTTP. The events, their
   * order, their retries and what each answer means are those of event.proto and ack.proto;
   * this file says only what differs.
   * # Where, and who asks
   * A payload with `callback_grpc` offers the service; a worker MAY use it, and MUST be
   * able to report to `callback_url` all the same when it cannot make the channel. It
   * SHOULD do so too where what answers is never a receiver: at once after a code that
   * is not in the table below (PERMISSION_DENIED, UNIMPLEMENTED) and has no metadata
   * `wove-receiver`. Every call carries metadata:
   *     authorization    "Bearer " and the token of `callback_grpc`. Required.
   *     wove-receiver    the payload's `receiver_id`. Sent by workers whose payload has one.
   * Every answer carries the answering receiver's own id as `wove-receiver` in its initial
   * metadata, or in its trailing metadata where it has no other. An answer without it is not
   * a receiver's: UNAVAILABLE.
   * # Answers
   * A refusal is a gRPC status. Where a time to wait is known it is in the trailing metadata
   * `retry-after`, in seconds.
   *     OK                             as 2xx: accepted, or a duplicate
   *     INVALID_ARGUMENT               as 400
   *     UNAUTHENTICATED                as 404: the token is wrong; final
   *     FAILED_PRECONDITION            as 409
   *     NOT_FOUND                      as 410
   *     ABORTED                        as 421: try again on a new channel
   *     RESOURCE_EXHAUSTED             as 413
   *     UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, UNKNOWN, INTERNAL
   *                                    try again
   *     any other                      final
   * A receiver's own limit on a message is in the payload's `max_event_bytes`.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * One event, one acknowledgement.
     * </pre>
     */
    default void publishEvent(dev.wove.v1.PublishEventRequest request,
        io.grpc.stub.StreamObserver<dev.wove.v1.PublishEventResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getPublishEventMethod(), responseObserver);
    }

    /**
     * <pre>
     * Many events on one call, each acknowledged by its `event_id`, in any order. A refusal
     * of one event is an EventAck with its google.rpc.Code, and the call goes on. The
     * receiver MAY ask at any time to stop a run whose events came on this call. Either
     * side may end the call: what is not acknowledged then, a worker sends again, on
     * another call or as PublishEvent. A receiver MAY end a call that was silent for long.
     * </pre>
     */
    default io.grpc.stub.StreamObserver<dev.wove.v1.StreamEventsRequest> streamEvents(
        io.grpc.stub.StreamObserver<dev.wove.v1.StreamEventsResponse> responseObserver) {
      return io.grpc.stub.ServerCalls.asyncUnimplementedStreamingCall(getStreamEventsMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service EventService.
   * <pre>
   * EventService takes the events that workers otherwise post over HTTP. The events, their
   * order, their retries and what each answer means are those of event.proto and ack.proto;
   * this file says only what differs.
   * # Where, and who asks
   * A payload with `callback_grpc` offers the service; a worker MAY use it, and MUST be
   * able to report to `callback_url` all the same when it cannot make the channel. It
   * SHOULD do so too where what answers is never a receiver: at once after a code that
   * is not in the table below (PERMISSION_DENIED, UNIMPLEMENTED) and has no metadata
   * `wove-receiver`. Every call carries metadata:
   *     authorization    "Bearer " and the token of `callback_grpc`. Required.
   *     wove-receiver    the payload's `receiver_id`. Sent by workers whose payload has one.
   * Every answer carries the answering receiver's own id as `wove-receiver` in its initial
   * metadata, or in its trailing metadata where it has no other. An answer without it is not
   * a receiver's: UNAVAILABLE.
   * # Answers
   * A refusal is a gRPC status. Where a time to wait is known it is in the trailing metadata
   * `retry-after`, in seconds.
   *     OK                             as 2xx: accepted, or a duplicate
   *     INVALID_ARGUMENT               as 400
   *     UNAUTHENTICATED                as 404: the token is wrong; final
   *     FAILED_PRECONDITION            as 409
   *     NOT_FOUND                      as 410
   *     ABORTED                        as 421: try again on a new channel
   *     RESOURCE_EXHAUSTED             as 413
   *     UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, UNKNOWN, INTERNAL
   *                                    try again
   *     any other                      final
   * A receiver's own limit on a message is in the payload's `max_event_bytes`.
   * </pre>
   */
  public static abstract class EventServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return EventServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service EventService.
   * <pre>
   * EventService takes the events that workers otherwise post over HTTP. The events, their
   * order, their retries and what each answer means are those of event.proto and ack.proto;
   * this file says only what differs.
   * # Where, and who asks
   * A payload with `callback_grpc` offers the service; a worker MAY use it, and MUST be
   * able to report to `callback_url` all the same when it cannot make the channel. It
   * SHOULD do so too where what answers is never a receiver: at once after a code that
   * is not in the table below (PERMISSION_DENIED, UNIMPLEMENTED) and has no metadata
   * `wove-receiver`. Every call carries metadata:
   *     authorization    "Bearer " and the token of `callback_grpc`. Required.
   *     wove-receiver    the payload's `receiver_id`. Sent by workers whose payload has one.
   * Every answer carries the answering receiver's own id as `wove-receiver` in its initial
   * metadata, or in its trailing metadata where it has no other. An answer without it is not
   * a receiver's: UNAVAILABLE.
   * # Answers
   * A refusal is a gRPC status. Where a time to wait is known it is in the trailing metadata
   * `retry-after`, in seconds.
   *     OK                             as 2xx: accepted, or a duplicate
   *     INVALID_ARGUMENT               as 400
   *     UNAUTHENTICATED                as 404: the token is wrong; final
   *     FAILED_PRECONDITION            as 409
   *     NOT_FOUND                      as 410
   *     ABORTED                        as 421: try again on a new channel
   *     RESOURCE_EXHAUSTED             as 413
   *     UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, UNKNOWN, INTERNAL
   *                                    try again
   *     any other                      final
   * A receiver's own limit on a message is in the payload's `max_event_bytes`.
   * </pre>
   */
  public static final class EventServiceStub
      extends io.grpc.stub.AbstractAsyncStub<EventServiceStub> {
    private EventServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected EventServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new EventServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * One event, one acknowledgement.
     * </pre>
     */
    public void publishEvent(dev.wove.v1.PublishEventRequest request,
        io.grpc.stub.StreamObserver<dev.wove.v1.PublishEventResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getPublishEventMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Many events on one call, each acknowledged by its `event_id`, in any order. A refusal
     * of one event is an EventAck with its google.rpc.Code, and the call goes on. The
     * receiver MAY ask at any time to stop a run whose events came on this call. Either
     * side may end the call: what is not acknowledged then, a worker sends again, on
     * another call or as PublishEvent. A receiver MAY end a call that was silent for long.
     * </pre>
     */
    public io.grpc.stub.StreamObserver<dev.wove.v1.StreamEventsRequest> streamEvents(
        io.grpc.stub.StreamObserver<dev.wove.v1.StreamEventsResponse> responseObserver) {
      return io.grpc.stub.ClientCalls.asyncBidiStreamingCall(
          getChannel().newCall(getStreamEventsMethod(), getCallOptions()), responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service EventService.
   * <pre>
   * EventService takes the events that workers otherwise post over HTTP. The events, their
   * order, their retries and what each answer means are those of event.proto and ack.proto;
   * this file says only what differs.
   * # Where, and who asks
   * A payload with `callback_grpc` offers the service; a worker MAY use it, and MUST be
   * able to report to `callback_url` all the same when it cannot make the channel. It
   * SHOULD do so too where what answers is never a receiver: at once after a code that
   * is not in the table below (PERMISSION_DENIED, UNIMPLEMENTED) and has no metadata
   * `wove-receiver`. Every call carries metadata:
   *     authorization    "Bearer " and the token of `callback_grpc`. Required.
   *     wove-receiver    the payload's `receiver_id`. Sent by workers whose payload has one.
   * Every answer carries the answering receiver's own id as `wove-receiver` in its initial
   * metadata, or in its trailing metadata where it has no other. An answer without it is not
   * a receiver's: UNAVAILABLE.
   * # Answers
   * A refusal is a gRPC status. Where a time to wait is known it is in the trailing metadata
   * `retry-after`, in seconds.
   *     OK                             as 2xx: accepted, or a duplicate
   *     INVALID_ARGUMENT               as 400
   *     UNAUTHENTICATED                as 404: the token is wrong; final
   *     FAILED_PRECONDITION            as 409
   *     NOT_FOUND                      as 410
   *     ABORTED                        as 421: try again on a new channel
   *     RESOURCE_EXHAUSTED             as 413
   *     UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, UNKNOWN, INTERNAL
   *                                    try again
   *     any other                      final
   * A receiver's own limit on a message is in the payload's `max_event_bytes`.
   * </pre>
   */
  public static final class EventServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<EventServiceBlockingV2Stub> {
    private EventServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected EventServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new EventServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * One event, one acknowledgement.
     * </pre>
     */
    public dev.wove.v1.PublishEventResponse publishEvent(dev.wove.v1.PublishEventRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getPublishEventMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Many events on one call, each acknowledged by its `event_id`, in any order. A refusal
     * of one event is an EventAck with its google.rpc.Code, and the call goes on. The
     * receiver MAY ask at any time to stop a run whose events came on this call. Either
     * side may end the call: what is not acknowledged then, a worker sends again, on
     * another call or as PublishEvent. A receiver MAY end a call that was silent for long.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<dev.wove.v1.StreamEventsRequest, dev.wove.v1.StreamEventsResponse>
        streamEvents() {
      return io.grpc.stub.ClientCalls.blockingBidiStreamingCall(
          getChannel(), getStreamEventsMethod(), getCallOptions());
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service EventService.
   * <pre>
   * EventService takes the events that workers otherwise post over HTTP. The events, their
   * order, their retries and what each answer means are those of event.proto and ack.proto;
   * this file says only what differs.
   * # Where, and who asks
   * A payload with `callback_grpc` offers the service; a worker MAY use it, and MUST be
   * able to report to `callback_url` all the same when it cannot make the channel. It
   * SHOULD do so too where what answers is never a receiver: at once after a code that
   * is not in the table below (PERMISSION_DENIED, UNIMPLEMENTED) and has no metadata
   * `wove-receiver`. Every call carries metadata:
   *     authorization    "Bearer " and the token of `callback_grpc`. Required.
   *     wove-receiver    the payload's `receiver_id`. Sent by workers whose payload has one.
   * Every answer carries the answering receiver's own id as `wove-receiver` in its initial
   * metadata, or in its trailing metadata where it has no other. An answer without it is not
   * a receiver's: UNAVAILABLE.
   * # Answers
   * A refusal is a gRPC status. Where a time to wait is known it is in the trailing metadata
   * `retry-after`, in seconds.
   *     OK                             as 2xx: accepted, or a duplicate
   *     INVALID_ARGUMENT               as 400
   *     UNAUTHENTICATED                as 404: the token is wrong; final
   *     FAILED_PRECONDITION            as 409
   *     NOT_FOUND                      as 410
   *     ABORTED                        as 421: try again on a new channel
   *     RESOURCE_EXHAUSTED             as 413
   *     UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, UNKNOWN, INTERNAL
   *                                    try again
   *     any other                      final
   * A receiver's own limit on a message is in the payload's `max_event_bytes`.
   * </pre>
   */
  public static final class EventServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<EventServiceBlockingStub> {
    private EventServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected EventServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new EventServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * One event, one acknowledgement.
     * </pre>
     */
    public dev.wove.v1.PublishEventResponse publishEvent(dev.wove.v1.PublishEventRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getPublishEventMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service EventService.
   * <pre>
   * EventService takes the events that workers otherwise post over HTTP. The events, their
   * order, their retries and what each answer means are those of event.proto and ack.proto;
   * this file says only what differs.
   * # Where, and who asks
   * A payload with `callback_grpc` offers the service; a worker MAY use it, and MUST be
   * able to report to `callback_url` all the same when it cannot make the channel. It
   * SHOULD do so too where what answers is never a receiver: at once after a code that
   * is not in the table below (PERMISSION_DENIED, UNIMPLEMENTED) and has no metadata
   * `wove-receiver`. Every call carries metadata:
   *     authorization    "Bearer " and the token of `callback_grpc`. Required.
   *     wove-receiver    the payload's `receiver_id`. Sent by workers whose payload has one.
   * Every answer carries the answering receiver's own id as `wove-receiver` in its initial
   * metadata, or in its trailing metadata where it has no other. An answer without it is not
   * a receiver's: UNAVAILABLE.
   * # Answers
   * A refusal is a gRPC status. Where a time to wait is known it is in the trailing metadata
   * `retry-after`, in seconds.
   *     OK                             as 2xx: accepted, or a duplicate
   *     INVALID_ARGUMENT               as 400
   *     UNAUTHENTICATED                as 404: the token is wrong; final
   *     FAILED_PRECONDITION            as 409
   *     NOT_FOUND                      as 410
   *     ABORTED                        as 421: try again on a new channel
   *     RESOURCE_EXHAUSTED             as 413
   *     UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, UNKNOWN, INTERNAL
   *                                    try again
   *     any other                      final
   * A receiver's own limit on a message is in the payload's `max_event_bytes`.
   * </pre>
   */
  public static final class EventServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<EventServiceFutureStub> {
    private EventServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected EventServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new EventServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * One event, one acknowledgement.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.wove.v1.PublishEventResponse> publishEvent(
        dev.wove.v1.PublishEventRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getPublishEventMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_PUBLISH_EVENT = 0;
  private static final int METHODID_STREAM_EVENTS = 1;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final AsyncService serviceImpl;
    private final int methodId;

    MethodHandlers(AsyncService serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_PUBLISH_EVENT:
          serviceImpl.publishEvent((dev.wove.v1.PublishEventRequest) request,
              (io.grpc.stub.StreamObserver<dev.wove.v1.PublishEventResponse>) responseObserver);
          break;
        default:
          throw new AssertionError();
      }
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public io.grpc.stub.StreamObserver<Req> invoke(
        io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_STREAM_EVENTS:
          return (io.grpc.stub.StreamObserver<Req>) serviceImpl.streamEvents(
              (io.grpc.stub.StreamObserver<dev.wove.v1.StreamEventsResponse>) responseObserver);
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getPublishEventMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.wove.v1.PublishEventRequest,
              dev.wove.v1.PublishEventResponse>(
                service, METHODID_PUBLISH_EVENT)))
        .addMethod(
          getStreamEventsMethod(),
          io.grpc.stub.ServerCalls.asyncBidiStreamingCall(
            new MethodHandlers<
              dev.wove.v1.StreamEventsRequest,
              dev.wove.v1.StreamEventsResponse>(
                service, METHODID_STREAM_EVENTS)))
        .build();
  }

  private static abstract class EventServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    EventServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return dev.wove.v1.EventServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("EventService");
    }
  }

  private static final class EventServiceFileDescriptorSupplier
      extends EventServiceBaseDescriptorSupplier {
    EventServiceFileDescriptorSupplier() {}
  }

  private static final class EventServiceMethodDescriptorSupplier
      extends EventServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    EventServiceMethodDescriptorSupplier(java.lang.String methodName) {
      this.methodName = methodName;
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.MethodDescriptor getMethodDescriptor() {
      return getServiceDescriptor().findMethodByName(methodName);
    }
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (EventServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new EventServiceFileDescriptorSupplier())
              .addMethod(getPublishEventMethod())
              .addMethod(getStreamEventsMethod())
              .build();
        }
      }
    }
    return result;
  }
}
