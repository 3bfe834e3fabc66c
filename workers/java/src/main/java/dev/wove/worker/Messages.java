package dev.wove.worker;

import dev.wove.v1.ErrorInfo;
import dev.wove.v1.Event;
import dev.wove.v1.Heartbeat;
import dev.wove.v1.Log;
import dev.wove.v1.Progress;
import dev.wove.v1.TaskCancelled;
import dev.wove.v1.TaskError;
import dev.wove.v1.TaskPayload;
import dev.wove.v1.TaskResult;
import dev.wove.v1.TaskStarted;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.OptionalDouble;
import java.util.concurrent.atomic.AtomicInteger;

/** Makes and encodes the events of one execution. Any thread may use it. */
final class Messages {
  private static final int MAX_REASON = 1000;
  private static final int MAX_LINE = 64 << 10;

  private final TaskPayload payload;
  private final boolean binary;
  private final String executionId;
  private final AtomicInteger sequence = new AtomicInteger();

  /**
   * Draws a name for the execution.
   *
   * @param payload of the run
   * @param binary encode as protobuf; else as flat JSON
   */
  Messages(TaskPayload payload, boolean binary) {
    this.payload = payload;
    this.binary = binary;
    byte[] drawn = new byte[16];
    new SecureRandom().nextBytes(drawn);
    this.executionId = HexFormat.of().formatHex(drawn);
  }

  Body encode(Event.Builder builder) {
    Event event = builder.build();
    if (binary) {
      return new Body(event, event.toByteArray(), "application/x-protobuf");
    }
    byte[] data = MessageWriter.flat(event).getBytes(StandardCharsets.UTF_8);
    return new Body(event, data, "application/json");
  }

  Event.Builder started(OptionalDouble heartbeatSeconds) {
    TaskStarted.Builder frame = TaskStarted.newBuilder().setWorkerId(workerId());
    heartbeatSeconds.ifPresent(frame::setHeartbeatSeconds);
    return event().setTaskStarted(frame);
  }

  Event.Builder heartbeat() {
    return event().setHeartbeat(Heartbeat.getDefaultInstance());
  }

  Event.Builder progress(double current, double total, String unit, String message) {
    return event()
        .setProgress(
            Progress.newBuilder()
                .setCurrent(current)
                .setTotal(total)
                .setUnit(line(unit))
                .setMessage(line(message)));
  }

  Event.Builder log(LogLevel level, String message, String logger) {
    return event()
        .setLog(
            Log.newBuilder()
                .setLevel(level.wireName())
                .setMessage(line(message))
                .setLogger(line(logger)));
  }

  Event.Builder result(String json) {
    return event().setTaskResult(TaskResult.newBuilder().setResultJson(json));
  }

  Event.Builder error(ErrorInfo info) {
    return event().setTaskError(TaskError.newBuilder().setError(info));
  }

  Event.Builder cancelled(String reason, boolean forced) {
    return event()
        .setTaskCancelled(
            TaskCancelled.newBuilder()
                .setReason(Text.cut(Text.scrub(reason), MAX_REASON))
                .setForced(forced));
  }

  private Event.Builder event() {
    int number = sequence.incrementAndGet();
    return Event.newBuilder()
        .setRunId(payload.getRunId())
        .setTaskId(payload.getTaskId())
        .setEventId(executionId + "-" + number)
        .setEmittedAt(System.currentTimeMillis() / 1000.0)
        .setAttempt(payload.getAttempt())
        .setExecutionId(executionId)
        .setSequence(number);
  }

  private static String line(String text) {
    return Text.cut(Text.scrub(text), MAX_LINE);
  }

  /** Names this process for people. */
  private static String workerId() {
    String host = System.getenv("HOSTNAME");
    if (host == null || host.isEmpty()) {
      try {
        host = InetAddress.getLocalHost().getHostName();
      } catch (UnknownHostException error) {
        host = "localhost";
      }
    }
    return Text.scrub(host) + ":" + ProcessHandle.current().pid();
  }
}
