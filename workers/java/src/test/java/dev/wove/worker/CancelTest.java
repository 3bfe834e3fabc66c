package dev.wove.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.wove.v1.RunSummary;
import dev.wove.worker.Receiver.Delivery;
import dev.wove.worker.Receiver.Reply;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Heartbeats, and how a task is stopped. */
class CancelTest {
  private Receiver receiver;
  private final CountDownLatch entered = new CountDownLatch(1);
  private final CountDownLatch release = new CountDownLatch(1);

  @BeforeEach
  void listen() throws IOException {
    receiver = new Receiver();
  }

  @AfterEach
  void close() {
    release.countDown();
    receiver.close();
  }

  private Worker worker() {
    return Worker.builder()
        .encoding(Encoding.PROTOBUF)
        .task(
            "sleep",
            (arguments, run) -> {
              entered.countDown();
              Thread.sleep(60_000);
              return null;
            })
        .task(
            "wrap",
            (arguments, run) -> {
              try {
                Thread.sleep(60_000);
              } catch (InterruptedException error) {
                throw new IllegalStateException("stopped", error);
              }
              return null;
            })
        .task(
            "finish",
            (arguments, run) -> {
              while (!run.isCancelled()) {
                Thread.onSpinWait();
              }
              return "done all the same";
            })
        .task(
            "deaf",
            (arguments, run) -> {
              entered.countDown();
              while (release.getCount() > 0) {
                Thread.onSpinWait();
              }
              return null;
            })
        .task("pause", (arguments, run) -> pause(1500))
        .task("quick", (arguments, run) -> 1)
        .build();
  }

  private static Object pause(long millis) throws InterruptedException {
    Thread.sleep(millis);
    return millis;
  }

  private JsonObject beating(String task, double seconds) {
    JsonObject payload = receiver.payload(task, "{}");
    JsonArray accepts = new JsonArray();
    accepts.add("heartbeat");
    payload.add("accepts", accepts);
    JsonObject delivery = new JsonObject();
    delivery.addProperty("delivery_heartbeat_seconds", seconds);
    payload.add("delivery", delivery);
    return payload;
  }

  private static Reply unless(Delivery found, String frame, Reply reply) {
    return found.frame().equals(frame) ? reply : Reply.ACCEPT;
  }

  @Test
  void stopsWhenTheAnswerToTheStartSaysSo() throws Exception {
    receiver.rule = found -> unless(found, "task_started", Reply.CANCEL);
    RunSummary summary = worker().run(receiver.payload("sleep", "{}").toString());
    assertEquals("cancelled", summary.getOutcome());
    assertFalse(receiver.ending().getTaskCancelled().getForced());
    assertEquals(1, entered.getCount());
  }

  @Test
  void stopsWhenAHeartbeatIsAnsweredByCancel() throws Exception {
    receiver.rule = found -> unless(found, "heartbeat", Reply.CANCEL);
    RunSummary summary = worker().run(beating("sleep", 0.3).toString());
    assertEquals("cancelled", summary.getOutcome());
    assertFalse(receiver.ending().getTaskCancelled().getReason().isEmpty());
  }

  @ParameterizedTest
  @ValueSource(ints = {401, 404, 409, 410})
  void stopsWhenNothingMoreIsTaken(int status) throws Exception {
    receiver.rule = found -> unless(found, "heartbeat", Reply.of(status));
    RunSummary summary = worker().run(beating("wrap", 0.3).toString());
    assertEquals("cancelled", summary.getOutcome());
    assertTrue(summary.getDelivered());
    assertEquals(1, receiver.deliveries("task_cancelled").size());
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 403, 413, 415, 421, 503})
  void goesOnWhenABeatIsRefused(int status) throws Exception {
    receiver.rule = found -> unless(found, "heartbeat", Reply.of(status));
    assertEquals("succeeded", worker().run(beating("pause", 0.6).toString()).getOutcome());
    assertTrue(receiver.deliveries("heartbeat").size() > 1);
  }

  @Test
  void beatsOnANewConnectionWhereAnotherReceiverAnswered() throws Exception {
    Reply other = new Reply(410, "", "rx-2", null);
    receiver.rule =
        found ->
            receiver.deliveries("heartbeat").size() == 1
                ? unless(found, "heartbeat", other)
                : Reply.ACCEPT;
    assertEquals("succeeded", worker().run(beating("pause", 0.6).toString()).getOutcome());
    List<Delivery> beats = receiver.deliveries("heartbeat");
    assertNotEquals(beats.get(0).port(), beats.get(1).port());
  }

  @Test
  void stopsAnUngatedTaskWhoseStartIsRefusedLate() throws Exception {
    receiver.rule = found -> unless(found, "task_started", Reply.of(found.tries() < 3 ? 503 : 403));
    JsonObject payload = receiver.payload("sleep", "{}");
    payload.addProperty("start_gate", "none");
    assertEquals("cancelled", worker().run(payload.toString()).getOutcome());
  }

  @Test
  void takesAResultThatComesAllTheSame() throws Exception {
    receiver.rule = found -> unless(found, "heartbeat", Reply.CANCEL);
    assertEquals("succeeded", worker().run(beating("finish", 0.3).toString()).getOutcome());
    assertEquals("\"done all the same\"", receiver.ending().getTaskResult().getResultJson());
  }

  @Test
  void ignoresACancelThatComesTooLate() throws Exception {
    receiver.rule =
        found ->
            found.frame().equals("task_result") && found.tries() == 1
                ? new Reply(503, "", Receiver.ID, "0.8")
                : unless(found, "heartbeat", Reply.CANCEL);
    assertEquals("succeeded", worker().run(beating("quick", 0.3).toString()).getOutcome());
    assertFalse(receiver.deliveries("heartbeat").isEmpty());
  }

  @Test
  void ignoresEverythingWhenDetached() throws Exception {
    receiver.rule =
        found -> unless(found, "heartbeat", found.tries() == 1 ? Reply.CANCEL : Reply.of(410));
    JsonObject payload = beating("pause", 0.6);
    payload.getAsJsonObject("delivery").addProperty("delivery_orphan_policy", "detach");
    assertEquals("succeeded", worker().run(payload.toString()).getOutcome());
    assertTrue(receiver.deliveries("heartbeat").size() >= 2);
  }

  @Test
  void beatsOnAConnectionOfItsOwn() throws Exception {
    receiver.rule = found -> found.event().getSequence() == 3 ? Reply.DROP : Reply.ACCEPT;
    worker().run(beating("pause", 0.6).toString());
    List<Delivery> beats = receiver.deliveries("heartbeat");
    assertTrue(beats.size() >= 3);
    assertTrue(beats.stream().allMatch(found -> found.tries() == 1));
    int other = receiver.deliveries("task_result").get(0).port();
    assertTrue(beats.stream().noneMatch(found -> found.port() == other));
    double announced =
        receiver.deliveries("task_started").get(0).event().getTaskStarted().getHeartbeatSeconds();
    assertEquals(0.2, announced, 1e-9);
  }

  @Test
  void takesANewInterval() throws Exception {
    Reply slower = new Reply(200, "{\"heartbeat_seconds\":60}", Receiver.ID, null);
    receiver.rule = found -> unless(found, "heartbeat", slower);
    worker().run(beating("pause", 0.3).toString());
    assertEquals(1, receiver.deliveries("heartbeat").size());
  }

  @Test
  void doesNotBeatUnasked() throws Exception {
    JsonObject payload = beating("pause", 0.3);
    payload.remove("accepts");
    worker().run(payload.toString());
    assertEquals(List.of("task_started", "task_result"), receiver.frames());
    assertFalse(receiver.deliveries().get(0).event().getTaskStarted().hasHeartbeatSeconds());
  }

  @Test
  void stopsWhenTheCallingThreadIsInterrupted() throws Exception {
    assertEquals("cancelled", interrupted("sleep").getOutcome());
    assertFalse(receiver.ending().getTaskCancelled().getForced());
    assertEquals("its worker is shutting down", receiver.ending().getTaskCancelled().getReason());
  }

  @Test
  void leavesBehindWhatDoesNotStop() throws Exception {
    assertEquals("cancelled", interrupted("deaf").getOutcome());
    assertTrue(receiver.ending().getTaskCancelled().getForced());
  }

  private RunSummary interrupted(String task) throws Exception {
    AtomicReference<RunSummary> found = new AtomicReference<>();
    AtomicReference<Boolean> flag = new AtomicReference<>();
    Thread caller =
        new Thread(
            () -> {
              try {
                found.set(worker().run(receiver.payload(task, "{}").toString()));
              } catch (UndeliveredException error) {
                found.set(error.summary());
              }
              flag.set(Thread.currentThread().isInterrupted());
            });
    caller.start();
    assertTrue(entered.await(20, TimeUnit.SECONDS));
    caller.interrupt();
    caller.join(30_000);
    assertEquals(true, flag.get());
    return found.get();
  }
}
