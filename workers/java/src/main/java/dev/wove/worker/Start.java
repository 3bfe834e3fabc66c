package dev.wove.worker;

import dev.wove.v1.TaskPayload;
import java.util.OptionalDouble;
import java.util.function.Consumer;

/** {@code task_started}: the start gate, and the start without one. */
final class Start {
  /** After this the function is not called. */
  private static final double SECONDS = 60;

  /** How long the first try may hold up a task that need not wait for it. */
  private static final double UNGATED_SECONDS = 1;

  private static final double DEFAULT_INTERVAL = 5;

  private final Reporter reporter;
  private final Reporter later;
  private final Route route;
  private final Body body;
  private final Consumer<Answer> heard;

  /**
   * For one execution.
   *
   * @param reporter of it
   * @param route to its receiver
   * @param body the event
   * @param heard is called with a final answer that comes when nobody waits for it
   */
  Start(Reporter reporter, Route route, Body body, Consumer<Answer> heard) {
    this.reporter = reporter;
    this.later = new Reporter(route);
    this.route = route;
    this.body = body;
    this.heard = heard;
  }

  /**
   * Seconds between heartbeats; none where the receiver does not take any.
   *
   * @param payload of the run
   */
  static OptionalDouble interval(TaskPayload payload) {
    if (!payload.getAcceptsList().contains("heartbeat")) {
      return OptionalDouble.empty();
    }
    double asked = payload.getDelivery().getDeliveryHeartbeatSeconds();
    return OptionalDouble.of(asked > 0 ? asked / 3 : DEFAULT_INTERVAL);
  }

  /**
   * Waits for the final answer.
   *
   * @throws Reporter.UndeliveredEvent none came in time
   */
  Answer gated() throws Reporter.UndeliveredEvent {
    return reporter.deliver(body, SECONDS);
  }

  /** One short try; the rest, if it takes more, goes on in the background. */
  Answer ungated() {
    Answer answer = route.post(body, Reporter.seconds(UNGATED_SECONDS), false);
    if (answer.verdict().isFinal()) {
      return answer;
    }
    Threads.start("wove-start", () -> deliver(answer));
    return Answer.none(answer.text());
  }

  /** The run has ended: its terminal event has said it all. */
  void end() {
    later.stop();
  }

  private void deliver(Answer tried) {
    try {
      heard.accept(later.deliver(body, SECONDS, tried));
    } catch (Reporter.UndeliveredEvent trouble) {
      return; // the terminal event says it all
    }
  }
}
