package dev.wove.worker;

import dev.wove.v1.EventServiceGrpc;
import dev.wove.v1.PublishEventRequest;
import dev.wove.v1.PublishEventResponse;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** Calls of {@code EventService}, with HTTP behind them for when no channel can be made. */
final class GrpcRoute implements Route {
  private static final GrpcChannels EVENTS = new GrpcChannels();
  private static final GrpcChannels BEATS = new GrpcChannels();

  private final GrpcTarget target;
  private final String receiverId;
  private final Route otherwise;
  private final Metadata headers = new Metadata();

  /**
   * The way to a receiver.
   *
   * @param target the payload's
   * @param receiverId the payload's; empty if it has none
   * @param otherwise is used while no channel can be made
   */
  GrpcRoute(GrpcTarget target, String receiverId, Route otherwise) {
    this.target = target;
    this.receiverId = receiverId;
    this.otherwise = otherwise;
    headers.put(GrpcAnswers.AUTHORIZATION, "Bearer " + target.token());
    if (!receiverId.isEmpty()) {
      headers.put(GrpcAnswers.RECEIVER, receiverId);
    }
  }

  @Override
  public Answer post(Body body, Duration timeout, boolean fresh) {
    ManagedChannel channel = EVENTS.get(target.peer(), fresh);
    if (channel == null) {
      return otherwise.post(body, timeout, fresh);
    }
    AtomicReference<Metadata> initial = new AtomicReference<>();
    AtomicReference<Metadata> trailing = new AtomicReference<>();
    try {
      PublishEventResponse response =
          EventServiceGrpc.newBlockingStub(channel)
              .withInterceptors(
                  MetadataUtils.newAttachHeadersInterceptor(headers),
                  MetadataUtils.newCaptureMetadataInterceptor(initial, trailing))
              .withDeadlineAfter(timeout.toNanos(), TimeUnit.NANOSECONDS)
              .publishEvent(PublishEventRequest.newBuilder().setEvent(body.event()).build());
      return GrpcAnswers.judge(
          response.getAck().toBuilder().clearCode().build(), initial.get(), receiverId);
    } catch (StatusRuntimeException error) {
      return GrpcAnswers.judge(error.getStatus(), initial.get(), trailing.get(), receiverId);
    }
  }

  @Override
  public Line line(Consumer<Answer> heard) {
    Line behind = otherwise.line(heard);
    return new Line() {
      private GrpcLine line;

      @Override
      public Answer beat(Body body, Duration timeout, boolean fresh) {
        ManagedChannel channel = BEATS.get(target.peer(), fresh);
        if (channel == null) {
          return behind.beat(body, timeout, fresh);
        }
        if (fresh) {
          close();
        }
        if (line == null || line.hasEnded()) {
          line = new GrpcLine(channel, headers, receiverId, body.event().getRunId(), heard);
        }
        return line.exchange(body.event(), timeout);
      }

      @Override
      public boolean pushes() {
        return true;
      }

      @Override
      public void close() {
        if (line != null) {
          line.close();
        }
      }
    };
  }
}
