package dev.wove.worker;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** Delivers events: retries, pauses, deadlines. */
final class Reporter {
  /** A try is given up when it has no answer for this long. */
  private static final double ANSWER_SECONDS = 30;

  /** ... and for as much longer as its body takes to be sent at this speed. */
  private static final double BYTES_PER_SECOND = 64 << 10;

  private static final int TOO_LARGE = 413;

  /** How often in a row 413 comes from a proxy before it is believed. */
  private static final int PROXY_REFUSALS = 3;

  private static final double FIRST_PAUSE = 0.1;
  private static final double LONGEST_PAUSE = 10;

  private final Route route;
  private double latest = Double.POSITIVE_INFINITY;
  private boolean stopped;

  /**
   * For one execution.
   *
   * @param route to its receiver
   */
  Reporter(Route route) {
    this.route = route;
  }

  /** The deadline passed without a final answer. */
  static final class UndeliveredEvent extends Exception {
    private static final long serialVersionUID = 1L;

    UndeliveredEvent(String message) {
      super(message);
    }
  }

  /**
   * Sends until there is a final answer, the same bytes each time.
   *
   * @param body the event
   * @param seconds the deadline, from now
   * @return the final answer
   * @throws UndeliveredEvent none came in time
   */
  Answer deliver(Body body, double seconds) throws UndeliveredEvent {
    return deliver(body, seconds, false, null);
  }

  /**
   * As {@link #deliver(Body, double)}.
   *
   * @param replaceable a smaller event can take its place: after some times 413 in a row from a
   *     proxy the verdict is INVALID
   */
  Answer deliver(Body body, double seconds, boolean replaceable) throws UndeliveredEvent {
    return deliver(body, seconds, replaceable, null);
  }

  /**
   * As {@link #deliver(Body, double)}, after a try that was made already.
   *
   * @param tried its answer, which was not final; null: there was none
   */
  Answer deliver(Body body, double seconds, Answer tried) throws UndeliveredEvent {
    return deliver(body, seconds, false, tried);
  }

  private Answer deliver(Body body, double seconds, boolean replaceable, Answer tried)
      throws UndeliveredEvent {
    double begin = now();
    Answer known = tried;
    boolean fresh = false;
    int tooLarge = 0;
    for (int tries = 1; ; tries++) {
      double patience = ANSWER_SECONDS + body.data().length / BYTES_PER_SECOND;
      double timeout = Math.max(0.1, Math.min(patience, left(begin + seconds)));
      Answer answer = known != null ? known : route.post(body, seconds(timeout), fresh);
      known = null;
      if (answer.verdict().isFinal()) {
        return answer;
      }
      tooLarge = answer.status() == TOO_LARGE ? tooLarge + 1 : 0;
      if (replaceable && tooLarge == PROXY_REFUSALS) {
        return new Answer(
            Verdict.INVALID, TOO_LARGE, answer.text(), answer.ack(), answer.retryAfter());
      }
      fresh = answer.verdict() == Verdict.ELSEWHERE;
      double asked = answer.retryAfter().orElse(0);
      double left = left(begin + seconds);
      if (left <= 0 || asked > left) { // the receiver does not want to be asked again in time
        throw new UndeliveredEvent(
            tries + " tries in " + Math.round(now() - begin) + " s, the last: " + answer.text());
      }
      sleepUntil(now() + Math.min(asked + pause(tries, LONGEST_PAUSE), left));
      if (isStopped()) {
        throw new UndeliveredEvent("there is nothing left to say");
      }
    }
  }

  /**
   * The pause after some failures in a row: drawn from nothing to twice the one before.
   *
   * @param failures how many
   * @param longest seconds
   */
  static double pause(int failures, double longest) {
    double top = Math.min(longest, FIRST_PAUSE * Math.pow(2, Math.min(failures, 16) - 1));
    return ThreadLocalRandom.current().nextDouble() * top;
  }

  /**
   * Gives up what is not delivered in time.
   *
   * @param seconds from now
   */
  synchronized void hurry(double seconds) {
    latest = Math.min(latest, now() + seconds);
    notifyAll();
  }

  /** Makes no more tries. */
  synchronized void stop() {
    stopped = true;
    hurry(0);
  }

  private synchronized boolean isStopped() {
    return stopped;
  }

  private synchronized double left(double deadline) {
    return Math.min(deadline, latest) - now();
  }

  private synchronized void sleepUntil(double wanted) {
    double left;
    while ((left = Math.min(wanted, latest) - now()) > 0) {
      try {
        wait((long) Math.ceil(left * 1000));
      } catch (InterruptedException error) {
        return; // nobody interrupts our threads: the next try says how things are
      }
    }
  }

  /** Monotonic seconds. */
  static double now() {
    return System.nanoTime() / 1e9;
  }

  static Duration seconds(double seconds) {
    return Duration.ofNanos((long) (seconds * 1e9));
  }
}
