package dev.wove.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.wove.v1.CancelTask;
import dev.wove.v1.Event;
import dev.wove.v1.EventAck;
import dev.wove.v1.EventServiceGrpc;
import dev.wove.v1.PublishEventRequest;
import dev.wove.v1.PublishEventResponse;
import dev.wove.v1.StreamEventsRequest;
import dev.wove.v1.StreamEventsResponse;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** gRPC, and HTTP in its place. */
class GrpcTest {
  private static final String TOKEN = "grpc-token";

  private final List<Event> published = Collections.synchronizedList(new ArrayList<>());
  private final List<Event> streamed = Collections.synchronizedList(new ArrayList<>());
  private final List<String> authorizations = Collections.synchronizedList(new ArrayList<>());
  private volatile Function<Event, Status> rule = event -> Status.OK;
  private volatile boolean pushesCancel;
  private volatile String id = Receiver.ID;
  private Receiver http;
  private Server server;

  private final class Service extends EventServiceGrpc.EventServiceImplBase {
    @Override
    public void publishEvent(
        PublishEventRequest request, StreamObserver<PublishEventResponse> answer) {
      published.add(request.getEvent());
      Status status = rule.apply(request.getEvent());
      if (!status.isOk()) {
        Metadata trailing = new Metadata();
        trailing.put(GrpcAnswers.RECEIVER, id);
        answer.onError(status.asRuntimeException(trailing));
        return;
      }
      answer.onNext(PublishEventResponse.getDefaultInstance());
      answer.onCompleted();
    }

    @Override
    public StreamObserver<StreamEventsRequest> streamEvents(
        StreamObserver<StreamEventsResponse> answers) {
      return new StreamObserver<>() {
        @Override
        public void onNext(StreamEventsRequest request) {
          Event event = request.getEvent();
          streamed.add(event);
          EventAck ack = EventAck.newBuilder().setEventId(event.getEventId()).build();
          answers.onNext(StreamEventsResponse.newBuilder().setAck(ack).build());
          if (pushesCancel) {
            CancelTask cancel = CancelTask.newBuilder().setRunId(event.getRunId()).build();
            answers.onNext(StreamEventsResponse.newBuilder().setCancelTask(cancel).build());
          }
        }

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onCompleted() {
          answers.onCompleted();
        }
      };
    }
  }

  /** Says who answers, and notes who asks. */
  private final class Names implements ServerInterceptor {
    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
      authorizations.add(headers.get(GrpcAnswers.AUTHORIZATION));
      return next.startCall(
          new SimpleForwardingServerCall<>(call) {
            @Override
            public void sendHeaders(Metadata initial) {
              initial.put(GrpcAnswers.RECEIVER, id);
              super.sendHeaders(initial);
            }
          },
          headers);
    }
  }

  @BeforeEach
  void listen() throws IOException {
    http = new Receiver();
    server =
        Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
            .addService(new Service())
            .intercept(new Names())
            .build()
            .start();
  }

  @AfterEach
  void close() throws InterruptedException {
    http.close();
    server.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
  }

  private JsonObject payload(String task, int port) {
    JsonObject payload = http.payload(task, "{}");
    payload.addProperty("callback_grpc", "grpc://127.0.0.1:" + port + "/" + TOKEN);
    JsonArray accepts = new JsonArray();
    accepts.add("heartbeat");
    payload.add("accepts", accepts);
    return payload;
  }

  private static String run(JsonObject payload) throws UndeliveredException {
    return Worker.builder()
        .encoding(null)
        .task("quick", (arguments, run) -> 1)
        .task(
            "sleep",
            (arguments, run) -> {
              Thread.sleep(60_000);
              return null;
            })
        .build()
        .run(payload.toString())
        .getOutcome();
  }

  @Test
  void publishesEvents() throws Exception {
    assertEquals("succeeded", run(payload("quick", server.getPort())));
    assertEquals(2, published.size());
    assertTrue(published.get(1).hasTaskResult());
    assertTrue(http.frames().isEmpty());
    assertEquals("Bearer " + TOKEN, authorizations.get(0));
  }

  @Test
  void hearsACancelThatIsPushed() throws Exception {
    pushesCancel = true;
    assertEquals("cancelled", run(payload("sleep", server.getPort())));
    assertEquals(1, streamed.size());
    assertTrue(streamed.get(0).hasHeartbeat());
  }

  @Test
  void triesAgain() throws Exception {
    rule = event -> published.size() % 2 == 1 ? Status.UNAVAILABLE : Status.OK;
    assertEquals("succeeded", run(payload("quick", server.getPort())));
    assertEquals(4, published.size());
    assertEquals(published.get(2), published.get(3));
  }

  @Test
  void doesNotStartWhenTheRunIsUnknown() throws Exception {
    rule = event -> Status.NOT_FOUND;
    assertEquals("not_started", run(payload("quick", server.getPort())));
    assertEquals(1, published.size());
  }

  @Test
  void usesHttpWhereNothingListens() throws Exception {
    int port;
    try (ServerSocket reserved = new ServerSocket(0)) {
      port = reserved.getLocalPort();
    }
    assertEquals("succeeded", run(payload("quick", port)));
    assertEquals("application/x-protobuf", http.deliveries().get(0).contentType());
  }

  @Test
  void usesHttpWhereNobodySpeaks() throws Exception {
    try (ServerSocket silent = new ServerSocket(0)) {
      assertEquals("succeeded", run(payload("quick", silent.getLocalPort())));
      assertEquals(2, http.frames().size());
    }
  }

  @Test
  void readsTargets() {
    GrpcTarget target = GrpcTarget.parse("grpcs://[::1]:443/a%2Fb");
    assertEquals("[::1]:443", target.address());
    assertTrue(target.secure());
    assertEquals("a/b", target.token());
    assertEquals("[::1]:443", target.toString());
    assertNull(GrpcTarget.parse("http://h:1/t"));
    assertNull(GrpcTarget.parse("grpc://h:1/"));
    assertNull(GrpcTarget.parse("grpc:h"));
    assertNull(GrpcTarget.parse("not a URL"));
  }
}
