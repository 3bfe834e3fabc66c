package dev.wove.worker;

import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The heartbeats of one execution. A beat is made when it is due and sent once: one that could not
 * be sent is forgotten, because the next says more.
 */
final class Pulse {
  /** An answer to a beat that takes longer is not waited for. */
  private static final double ANSWER_SECONDS = 10;

  private final Route route;
  private final Supplier<Body> make;
  private final Consumer<Answer> heard;
  private final double longestPause;
  private double interval;
  private boolean stopped;

  /**
   * Begins to beat.
   *
   * @param route of the execution
   * @param interval seconds between beats
   * @param longestPause seconds after a beat that could not be sent, at most
   * @param make makes the next beat
   * @param heard is called with each final answer, and with what comes unasked
   */
  Pulse(
      Route route,
      double interval,
      double longestPause,
      Supplier<Body> make,
      Consumer<Answer> heard) {
    this.route = route;
    this.interval = interval;
    this.longestPause = longestPause;
    this.make = make;
    this.heard = heard;
    Threads.start("wove-heartbeat", this::run);
  }

  /** Ends it: no beat is begun after this. */
  synchronized void stop() {
    stopped = true;
    notifyAll();
  }

  /**
   * Takes a new interval.
   *
   * @param seconds between beats, from now
   */
  synchronized void interval(double seconds) {
    interval = seconds;
    notifyAll();
  }

  private void run() {
    try (Route.Line line = route.line(heard)) {
      // Where the receiver can speak unasked, the first beat opens the way for that.
      double last = line.pushes() ? Double.NEGATIVE_INFINITY : Reporter.now();
      int failures = 0;
      boolean fresh = false;
      while (due(last, failures)) {
        last = Reporter.now();
        Answer answer =
            line.beat(make.get(), Reporter.seconds(Math.min(interval(), ANSWER_SECONDS)), fresh);
        fresh = answer.verdict() == Verdict.ELSEWHERE;
        if (answer.verdict().isFinal()) {
          failures = 0;
          heard.accept(answer);
        } else {
          failures++;
        }
      }
    }
  }

  private synchronized double interval() {
    return interval;
  }

  /** Waits until a beat is due; false when there are to be no more. */
  private synchronized boolean due(double last, int failures) {
    double backoff =
        failures == 0 ? 0 : Math.min(longestPause, 0.05 + Reporter.pause(failures, longestPause));
    while (!stopped) {
      double pause = failures == 0 ? interval : Math.min(interval, backoff);
      double left = last + pause - Reporter.now();
      if (left <= 0) {
        return true;
      }
      try {
        wait((long) Math.ceil(Math.min(left, 3600) * 1000));
      } catch (InterruptedException error) {
        return !stopped;
      }
    }
    return false;
  }
}
