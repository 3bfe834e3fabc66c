package dev.wove.worker;

import dev.wove.v1.CancelTask;
import dev.wove.v1.Event;
import dev.wove.v1.EventAck;
import dev.wove.v1.EventServiceGrpc;
import dev.wove.v1.StreamEventsRequest;
import dev.wove.v1.StreamEventsResponse;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.OptionalDouble;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** One call of {@code StreamEvents}: one thread sends, gRPC's own take what comes down. */
final class GrpcLine implements ClientResponseObserver<StreamEventsRequest, StreamEventsResponse> {
  private final String receiverId;
  private final String runId;
  private final Consumer<Answer> heard;
  private final AtomicReference<Metadata> initial = new AtomicReference<>();
  private ClientCallStreamObserver<StreamEventsRequest> up;
  private String expected = "";
  private CompletableFuture<Answer> answer = new CompletableFuture<>();
  private boolean ended;
  private Answer last = Answer.none("the call has ended");

  /**
   * Begins a call.
   *
   * @param channel to the receiver
   * @param headers of the call
   * @param receiverId the payload's
   * @param runId whose cancel is listened for
   * @param heard is called with it
   */
  GrpcLine(
      ManagedChannel channel,
      Metadata headers,
      String receiverId,
      String runId,
      Consumer<Answer> heard) {
    this.receiverId = receiverId;
    this.runId = runId;
    this.heard = heard;
    EventServiceGrpc.newStub(channel)
        .withInterceptors(
            MetadataUtils.newAttachHeadersInterceptor(headers),
            MetadataUtils.newCaptureMetadataInterceptor(initial, new AtomicReference<>()))
        .streamEvents(this);
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<StreamEventsRequest> requests) {
    up = requests;
  }

  /**
   * Sends one event and waits for its answer.
   *
   * @param event to send
   * @param timeout after which the call is given up
   */
  Answer exchange(Event event, Duration timeout) {
    CompletableFuture<Answer> coming;
    synchronized (this) {
      if (ended) {
        return last;
      }
      expected = event.getEventId();
      coming = answer = new CompletableFuture<>();
    }
    up.onNext(StreamEventsRequest.newBuilder().setEvent(event).build());
    try {
      return coming.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException | InterruptedException | ExecutionException error) {
      end(Answer.none("no answer in time"));
      up.cancel("no answer in time", null);
      return Answer.none("no answer in time");
    }
  }

  /** The call is of no more use. */
  synchronized boolean hasEnded() {
    return ended;
  }

  /** Ends the call in good order. */
  void close() {
    if (!hasEnded()) {
      end(last);
      up.onCompleted();
    }
  }

  @Override
  public void onNext(StreamEventsResponse response) {
    if (response.hasAck()) {
      EventAck ack = response.getAck();
      synchronized (this) {
        if (ack.getEventId().isEmpty() || ack.getEventId().equals(expected)) {
          answer.complete(GrpcAnswers.judge(ack, initial.get(), receiverId));
        }
      }
    } else if (response.hasCancelTask() && response.getCancelTask().getRunId().equals(runId)) {
      CancelTask cancel = response.getCancelTask();
      EventAck ack = EventAck.newBuilder().setCancel(cancel).build();
      heard.accept(new Answer(Verdict.ACCEPTED, 200, "cancel", ack, OptionalDouble.empty()));
    }
  }

  @Override
  public void onError(Throwable error) {
    Metadata trailing =
        error instanceof StatusRuntimeException refusal ? refusal.getTrailers() : null;
    end(GrpcAnswers.judge(Status.fromThrowable(error), initial.get(), trailing, receiverId));
  }

  @Override
  public void onCompleted() {
    end(Answer.none("the receiver ended the call"));
  }

  private synchronized void end(Answer how) {
    ended = true;
    last = how;
    answer.complete(how);
  }
}
