package dev.wove.worker;

import dev.wove.v1.Event;
import dev.wove.v1.RunSummary;
import dev.wove.v1.TaskPayload;
import java.util.OptionalDouble;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * One execution of one payload, in a thread of its own: from {@code task_started} to the
 * acknowledged terminal event.
 */
final class Execution {
  private static final double LEAST_TERMINAL_SECONDS = 300;
  private static final double MOST_TERMINAL_SECONDS = 3600;

  /** How long a worker that must end goes on trying to deliver. */
  private static final double HURRY_SECONDS = 15;

  private final TaskPayload payload;
  private final Tasks tasks;
  private final Route route;
  private final Reporter reporter;
  private final Messages messages;
  private final Endings endings;
  private final Extras extras;
  private final Call call = new Call();
  private final boolean detached;
  private final double began = Reporter.now();
  private final CountDownLatch done = new CountDownLatch(1);

  private volatile Start start;
  private volatile Pulse pulse;
  private volatile boolean left;
  private volatile RunSummary summary;
  private volatile UndeliveredException failure;

  /**
   * Begins it.
   *
   * @param payload what to run
   * @param tasks the functions
   * @param wish for an encoding; may be null
   */
  Execution(TaskPayload payload, Tasks tasks, Encoding wish) {
    Encoding encoding = Routes.encoding(payload, wish);
    this.payload = payload;
    this.tasks = tasks;
    this.route = Routes.to(payload, encoding);
    this.reporter = new Reporter(route);
    this.messages = new Messages(payload, encoding != Encoding.JSON);
    this.endings = new Endings(messages, Tasks.name(payload), payload.getMaxEventBytes());
    this.extras = new Extras(route, answer -> heard(Event.FrameCase.PROGRESS, answer));
    this.detached = payload.getDelivery().getDeliveryOrphanPolicy().equals("detach");
    ExitWatch.add(this);
    Threads.start("wove-run", this::run);
  }

  /**
   * Waits for the end.
   *
   * @throws InterruptedException the waiting thread was interrupted; the run goes on
   */
  void await() throws InterruptedException {
    done.await();
  }

  /**
   * Waits for the end while the process is ending.
   *
   * @param seconds at most
   * @return whether it has come
   */
  boolean await(double seconds) {
    try {
      return done.await((long) (seconds * 1000), TimeUnit.MILLISECONDS);
    } catch (InterruptedException error) {
      return false;
    }
  }

  /** The worker is shutting down: stops the function and hurries what is to be reported. */
  void shutDown() {
    call.ask("its worker is shutting down");
    call.allowLeaving();
    reporter.hurry(HURRY_SECONDS);
  }

  /** From now on a function that does not stop when it is asked is left behind. */
  void allowLeaving() {
    call.allowLeaving();
  }

  /** See {@link Call#exits}. */
  boolean exits(boolean anywhere) {
    return call.exits(anywhere);
  }

  /** Once it has ended: the function was left behind, and still runs. */
  boolean isLeft() {
    return left;
  }

  /** Once it has ended: what became of it. */
  RunSummary summary() {
    return summary;
  }

  /** Once it has ended: why its end could not be delivered; null if it could. */
  UndeliveredException failure() {
    return failure;
  }

  private void run() {
    try {
      lead();
    } catch (RuntimeException | Error bug) {
      summarize("failed", false, bug.getClass().getSimpleName(), "the worker itself failed");
      failure = new UndeliveredException("the worker itself failed: " + bug, summary);
    } finally {
      if (start != null) {
        start.end();
      }
      if (pulse != null) {
        pulse.stop();
      }
      ExitWatch.remove(this);
      done.countDown();
    }
  }

  private void lead() {
    long version = Integer.toUnsignedLong(payload.getVersion());
    if (version > Payloads.VERSION) {
      end(
          endings.wove(
              "VersionMismatch",
              "version_mismatch",
              "the payload is of version "
                  + version
                  + ", and this worker (Java, "
                  + Version.TEXT
                  + ") knows version 1 only. Install a newer one."));
    } else if (started()) {
      Work work = new Work(payload, tasks, messages, endings, extras, call);
      Ending ending = work.run();
      left = work.isLeft();
      end(ending);
    }
  }

  /** Announces the execution, and waits for leave where it has to; whether there is leave. */
  private boolean started() {
    OptionalDouble interval = Start.interval(payload);
    boolean gated = !payload.getStartGate().equals("none") && !detached;
    start =
        new Start(
            reporter,
            route,
            messages.encode(messages.started(interval)),
            late -> heard(Event.FrameCase.TASK_STARTED, late));
    Answer answer;
    try {
      answer = gated ? start.gated() : start.ungated();
    } catch (Reporter.UndeliveredEvent trouble) {
      unreachable("not_started", "the start", trouble);
      return false;
    }
    boolean accepted = answer.verdict() == Verdict.ACCEPTED;
    if (!accepted && answer.stops(Event.FrameCase.TASK_STARTED, detached)) {
      String message = "the receiver answered " + answer.text() + " to task_started";
      summarize("not_started", true, "StartRefused", message);
      return false;
    }
    if (interval.isPresent()) {
      double first = answer.heartbeatSeconds().orElse(interval.getAsDouble());
      pulse =
          new Pulse(
              route,
              first,
              interval.getAsDouble(),
              () -> messages.encode(messages.heartbeat()),
              beaten -> heard(Event.FrameCase.HEARTBEAT, beaten));
    }
    if (accepted) {
      heard(Event.FrameCase.TASK_STARTED, answer);
    }
    return true;
  }

  /** Delivers the terminal event. */
  private void end(Ending ending) {
    double seconds = terminalSeconds();
    Ending last = ending;
    try {
      Answer answer = reporter.deliver(last.body(), seconds, true);
      if (answer.asksForAnother()) {
        last = endings.inPlaceOf(last, answer);
        answer = reporter.deliver(last.body(), seconds);
      }
      boolean delivered =
          switch (answer.verdict()) {
            case ACCEPTED, CONFLICT, GONE -> true;
            default -> false;
          };
      summarize(last.outcome(), delivered, last.kind(), last.message());
      if (!delivered) {
        failure =
            new UndeliveredException(
                "the receiver refused the end of task \""
                    + Tasks.name(payload)
                    + "\": "
                    + answer.text(),
                summary);
      }
    } catch (Reporter.UndeliveredEvent trouble) {
      unreachable(last.outcome(), "the end", trouble);
    }
  }

  /** An answer to whichever event but the last, from whichever thread. */
  private void heard(Event.FrameCase frame, Answer answer) {
    Pulse beating = pulse;
    if (beating != null) {
      answer.heartbeatSeconds().ifPresent(beating::interval);
    }
    if (detached || !answer.stops(frame, false)) {
      return; // once a detached one runs, nothing stops it
    }
    call.ask(
        answer.cancels()
            ? "the weave cancelled it"
            : "the weave no longer takes what it reports: " + answer.text());
  }

  private double terminalSeconds() {
    if (payload.getDeliveryRetrySeconds() > 0) { // else as if absent
      return payload.getDeliveryRetrySeconds();
    }
    double ran = Reporter.now() - began;
    return Math.min(Math.max(ran, LEAST_TERMINAL_SECONDS), MOST_TERMINAL_SECONDS);
  }

  private void unreachable(String outcome, String what, Reporter.UndeliveredEvent trouble) {
    String message = Summaries.unreachable(payload, what, trouble.getMessage());
    summarize(outcome, false, "CallbackUnreachable", message);
    if (!detached) {
      failure = new UndeliveredException(message, summary);
    }
  }

  private void summarize(String outcome, boolean delivered, String kind, String message) {
    summary = Summaries.of(payload, outcome, delivered, kind, message);
  }
}
