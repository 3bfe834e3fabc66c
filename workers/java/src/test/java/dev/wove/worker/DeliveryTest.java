package dev.wove.worker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.wove.v1.ErrorInfo;
import dev.wove.v1.Event;
import dev.wove.v1.RunSummary;
import dev.wove.worker.Receiver.Delivery;
import dev.wove.worker.Receiver.Reply;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Events on their way: retries, refusals, the start gate. */
class DeliveryTest {
  record Words(String text) {}

  private Receiver receiver;
  private final AtomicBoolean called = new AtomicBoolean();

  @BeforeEach
  void listen() throws IOException {
    receiver = new Receiver();
  }

  @AfterEach
  void close() {
    receiver.close();
  }

  private Worker worker(Encoding encoding) {
    return Worker.builder()
        .encoding(encoding)
        .task(
            "repeat",
            Words.class,
            (words, run) -> {
              called.set(true);
              run.progress(1, 2, "words");
              return words.text();
            })
        .task(
            "fail",
            (json, run) -> {
              throw new IllegalStateException("no");
            })
        .build();
  }

  private RunSummary run(JsonObject payload) throws UndeliveredException {
    return worker(null).run(payload.toString());
  }

  private JsonObject payload() {
    return receiver.payload("repeat", "{\"text\":\"Grüße 😀\"}");
  }

  private static Function<Delivery, Reply> first(Reply... replies) {
    return found -> found.tries() <= replies.length ? replies[found.tries() - 1] : Reply.ACCEPT;
  }

  @ParameterizedTest
  @EnumSource(Encoding.class)
  void reportsAResult(Encoding encoding) throws Exception {
    RunSummary summary = worker(encoding).run(payload().toString());
    assertEquals("succeeded", summary.getOutcome());
    assertTrue(summary.getDelivered());
    assertFalse(summary.hasError());
    assertFalse(summary.getCallbackUrl().contains(Receiver.TOKEN));
    assertEquals(List.of("task_started", "task_result"), receiver.frames());
    String type = encoding == Encoding.JSON ? "application/json" : "application/x-protobuf";
    Set<String> ids = new HashSet<>();
    for (Delivery found : receiver.deliveries()) {
      assertEquals(type, found.contentType());
      assertEquals(Receiver.ID, found.receiver());
      assertEquals("task-1", found.event().getTaskId());
      assertTrue(found.event().getExecutionId().matches("[A-Za-z0-9_-]{1,128}"));
      assertTrue(ids.add(found.event().getEventId()));
    }
    Event start = receiver.deliveries().get(0).event();
    assertEquals(1, start.getSequence());
    assertTrue(start.getTaskStarted().getWorkerId().endsWith(":" + ProcessHandle.current().pid()));
    assertEquals("\"Grüße 😀\"", receiver.ending().getTaskResult().getResultJson());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 302, 408, 429, 500, 502, 503, 504})
  void retriesTheSameBytes(int status) throws Exception {
    receiver.rule = first(Reply.of(status));
    run(payload());
    for (String frame : List.of("task_started", "task_result")) {
      List<Delivery> tries = receiver.deliveries(frame);
      assertEquals(2, tries.size(), frame);
      assertArrayEquals(tries.get(0).body(), tries.get(1).body());
    }
  }

  @Test
  void honoursRetryAfter() throws Exception {
    receiver.rule = first(new Reply(503, "", Receiver.ID, "0.6"));
    run(payload());
    List<Delivery> tries = receiver.deliveries("task_result");
    assertTrue(tries.get(1).at() - tries.get(0).at() >= 0.6);
  }

  @Test
  void honoursTheBodysRetryAfterWhereThereIsNoHeader() throws Exception {
    receiver.rule = first(new Reply(503, "{\"retry_after_seconds\":0.6}", Receiver.ID, null));
    run(payload());
    List<Delivery> tries = receiver.deliveries("task_result");
    assertTrue(tries.get(1).at() - tries.get(0).at() >= 0.6);
  }

  @Test
  void readsADateInRetryAfter() {
    assertEquals(
        0, HttpRoute.retryAfter(java.util.Optional.of("Wed, 21 Oct 2015 07:28:00 GMT")).orElse(-1));
    assertTrue(HttpRoute.retryAfter(java.util.Optional.of("soon")).isEmpty());
    assertTrue(HttpRoute.retryAfter(java.util.Optional.of("-1")).isEmpty());
  }

  @ParameterizedTest
  @ValueSource(ints = {404, 410, 421})
  void asksAnotherReceiverAgainOnANewConnection(int status) throws Exception {
    receiver.rule = first(new Reply(status, "", "rx-2", null));
    run(payload());
    List<Delivery> tries = receiver.deliveries("task_started");
    assertEquals(2, tries.size());
    assertNotEquals(tries.get(0).port(), tries.get(1).port());
  }

  @ParameterizedTest
  @ValueSource(ints = {204, 404, 410})
  void takesNobodysAnswerForNone(int status) throws Exception {
    receiver.rule = first(new Reply(status, "", null, null));
    assertEquals("succeeded", run(payload()).getOutcome());
    assertEquals(2, receiver.deliveries("task_started").size());
  }

  @Test
  void keepsThePlainTableWithoutReceiverId() throws Exception {
    receiver.rule = found -> new Reply(204, "", null, null);
    JsonObject payload = payload();
    payload.remove("receiver_id");
    run(payload);
    assertEquals(List.of("task_started", "task_result"), receiver.frames());
    assertEquals(null, receiver.deliveries().get(0).receiver());
    assertEquals("application/json", receiver.deliveries().get(0).contentType());
  }

  @Test
  void takesAnAcceptanceThatCannotBeRead() throws Exception {
    receiver.rule = found -> new Reply(200, "<html>", Receiver.ID, null);
    assertEquals("succeeded", run(payload()).getOutcome());
  }

  @ParameterizedTest
  @ValueSource(ints = {401, 403, 404, 409, 410})
  void doesNotStartWithoutLeave(int status) throws Exception {
    receiver.rule = found -> Reply.of(status);
    RunSummary summary = run(payload());
    assertEquals("not_started", summary.getOutcome());
    assertTrue(summary.getDelivered());
    assertFalse(called.get());
    assertEquals(List.of("task_started"), receiver.frames());
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 413, 415})
  void replacesARefusedEvent(int status) throws Exception {
    receiver.rule = found -> found.frame().equals("task_result") ? Reply.of(status) : Reply.ACCEPT;
    RunSummary summary = run(payload());
    assertEquals("failed", summary.getOutcome());
    assertTrue(summary.getDelivered());
    assertEquals(1, receiver.deliveries("task_result").size());
    ErrorInfo info = receiver.ending().getTaskError().getError();
    assertEquals("wove", info.getSource());
    assertEquals(status == 413 ? "result_too_large" : "event_refused", info.getCode());
    assertTrue(info.getMessage().chars().allMatch(next -> next < 128));
    assertFalse(info.hasCause());
  }

  @Test
  void givesUpWhenTheReplacementIsRefused() {
    receiver.rule = found -> found.frame().equals("task_started") ? Reply.ACCEPT : Reply.of(400);
    UndeliveredException error = assertThrows(UndeliveredException.class, () -> run(payload()));
    assertFalse(error.summary().getDelivered());
    assertFalse(error.getMessage().contains(Receiver.TOKEN));
    assertEquals(List.of("task_started", "task_result", "task_error"), receiver.frames());
  }

  @ParameterizedTest
  @ValueSource(ints = {409, 410})
  void takesThatAnotherEndWasFirst(int status) throws Exception {
    receiver.rule = found -> found.frame().equals("task_result") ? Reply.of(status) : Reply.ACCEPT;
    assertTrue(run(payload()).getDelivered());
    assertEquals(1, receiver.deliveries("task_result").size());
  }

  @Test
  void keepsToMaxEventBytes() throws Exception {
    JsonObject payload = receiver.payload("repeat", "{\"text\":\"" + "x".repeat(5000) + "\"}");
    payload.addProperty("max_event_bytes", 4000);
    run(payload);
    assertEquals("result_too_large", receiver.ending().getTaskError().getError().getCode());
    assertTrue(receiver.deliveries().stream().allMatch(found -> found.body().length <= 4000));
  }

  @Test
  void cutsAnErrorThatIsTooLarge() throws Exception {
    JsonObject payload = receiver.payload("fail", "{}");
    payload.addProperty("max_event_bytes", 300);
    run(payload);
    ErrorInfo info = receiver.ending().getTaskError().getError();
    assertEquals("task", info.getSource());
    assertEquals("no", info.getMessage());
    assertFalse(info.hasTraceback());
  }

  @Test
  void givesUpAtTheDeadline() {
    receiver.rule = found -> found.frame().equals("task_started") ? Reply.ACCEPT : Reply.DROP;
    JsonObject payload = payload();
    payload.addProperty("delivery_retry_seconds", 0.5);
    UndeliveredException error = assertThrows(UndeliveredException.class, () -> run(payload));
    assertEquals("succeeded", error.summary().getOutcome());
    assertFalse(error.summary().getDelivered());
    assertFalse(error.getMessage().contains(Receiver.TOKEN));
    assertTrue(receiver.deliveries("task_result").size() > 1);
  }

  @Test
  void needNotWaitWithoutAGate() throws Exception {
    receiver.rule = found -> found.frame().equals("task_started") ? Reply.DROP : Reply.ACCEPT;
    JsonObject payload = payload();
    payload.addProperty("start_gate", "none");
    assertEquals("succeeded", run(payload).getOutcome());
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 401, 403, 404, 409, 410})
  void detachedStartsAfter410Only(int status) throws Exception {
    receiver.rule = found -> found.frame().equals("task_started") ? Reply.of(status) : Reply.ACCEPT;
    JsonObject payload = payload();
    JsonObject delivery = new JsonObject();
    delivery.addProperty("delivery_orphan_policy", "detach");
    payload.add("delivery", delivery);
    assertEquals(status == 410 ? "succeeded" : "not_started", run(payload).getOutcome());
  }

  @Test
  void sendsProgressOnceAndOnlyWhereItIsTaken() throws Exception {
    receiver.rule = found -> found.frame().equals("progress") ? Reply.of(500) : Reply.ACCEPT;
    JsonObject payload = payload();
    JsonArray accepts = new JsonArray();
    accepts.add("progress");
    accepts.add("telepathy");
    payload.add("accepts", accepts);
    run(payload);
    assertEquals(List.of("task_started", "progress", "task_result"), receiver.frames());
    assertEquals(3, receiver.ending().getSequence());
  }

  @Test
  void reportsANewerVersion() throws Exception {
    JsonObject payload = payload();
    payload.addProperty("version", 2);
    payload.addProperty("delivery", "of another form");
    run(payload);
    assertEquals(List.of("task_error"), receiver.frames());
    assertEquals("version_mismatch", receiver.ending().getTaskError().getError().getCode());
  }

  @Test
  void namesAnUnknownTask() throws Exception {
    run(receiver.payload("nothing", "{}"));
    ErrorInfo info = receiver.ending().getTaskError().getError();
    assertEquals("unknown_task", info.getCode());
    assertTrue(info.getMessage().contains("nothing") && info.getMessage().contains("repeat"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"{\"text\": ", "[1]", "{\"text\":1,\"text\":2}"})
  void reportsBrokenArguments(String arguments) throws Exception {
    run(receiver.payload("repeat", arguments));
    assertEquals("payload_not_loadable", receiver.ending().getTaskError().getError().getCode());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "hello", "[1]", "{}", "e30=", "{\"version\":1,\"run_id\":\"r\"}"})
  void refusesWhatIsNoPayload(String text) {
    assertThrows(InvalidPayloadException.class, () -> worker(null).run(text));
  }

  @Test
  void runsManyAtOnce() throws Exception {
    Worker worker = worker(null);
    ExecutorService threads = Executors.newFixedThreadPool(16);
    List<Callable<RunSummary>> work = new ArrayList<>();
    for (int index = 0; index < 64; index++) {
      String payload = payload().toString();
      work.add(() -> worker.run(payload));
    }
    Set<String> executions = new HashSet<>();
    for (Future<RunSummary> found : threads.invokeAll(work)) {
      assertEquals("succeeded", found.get().getOutcome());
    }
    threads.shutdown();
    for (Delivery found : receiver.deliveries("task_result")) {
      assertTrue(executions.add(found.event().getExecutionId()));
    }
    assertEquals(64, executions.size());
  }
}
