package dev.wove.worker;

import dev.wove.v1.TaskPayload;
import java.util.Optional;

/** What a function sees of its run. */
final class RunContext implements TaskRun {
  private final TaskPayload payload;
  private final String name;
  private final Messages messages;
  private final Extras extras;
  private final Call call;
  private final Endings endings;

  RunContext(
      TaskPayload payload,
      String name,
      Messages messages,
      Extras extras,
      Call call,
      Endings endings) {
    this.payload = payload;
    this.name = name;
    this.messages = messages;
    this.extras = extras;
    this.call = call;
    this.endings = endings;
  }

  @Override
  public String runId() {
    return payload.getRunId();
  }

  @Override
  public String taskId() {
    return payload.getTaskId();
  }

  @Override
  public String taskName() {
    return name;
  }

  @Override
  public int attempt() {
    return payload.getAttempt();
  }

  @Override
  public Optional<String> traceparent() {
    return payload.hasTraceparent() ? Optional.of(payload.getTraceparent()) : Optional.empty();
  }

  @Override
  public boolean isCancelled() {
    return call.isAsked();
  }

  @Override
  public void checkCancelled() throws InterruptedException {
    if (call.isAsked()) {
      throw new InterruptedException("the task was cancelled");
    }
  }

  @Override
  public void progress(double current, double total, String unit, String message) {
    if (!Double.isFinite(current) || !Double.isFinite(total)) {
      throw new IllegalArgumentException("progress is not finite");
    }
    if (accepts("progress")) {
      extras.send(() -> fitting(messages.encode(messages.progress(current, total, unit, message))));
    }
  }

  @Override
  public void log(LogLevel level, String message, String logger) {
    if (accepts("log")) {
      extras.send(() -> fitting(messages.encode(messages.log(level, message, logger))));
    }
  }

  private boolean accepts(String frame) {
    return payload.getAcceptsList().contains(frame);
  }

  /** The event, or null where the receiver would refuse it. */
  private Body fitting(Body body) {
    return endings.fits(body) ? body : null;
  }
}
