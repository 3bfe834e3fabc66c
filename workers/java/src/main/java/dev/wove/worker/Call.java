package dev.wove.worker;

import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;

/**
 * One call of a function in a thread of its own, where it can be stopped: exactly one of "it
 * returned" and "it was stopped" happens.
 */
final class Call {
  /** How long a function that was asked to stop is waited for, where it can be left behind. */
  static final double PATIENCE_SECONDS = 5;

  /** How a call ended. */
  enum Kind {
    RETURNED,
    RAISED,
    STOPPED,
    /** It did not stop: its thread still runs, and what it does has no consequence. */
    LEFT,
    /** It ended the process, or is about to. */
    EXITED
  }

  /**
   * How a call ended, and with what.
   *
   * @param kind how
   * @param value returned
   * @param thrown by it
   */
  record Outcome(Kind kind, Object value, Throwable thrown) {}

  /** Of whoever runs the payload. */
  private final ThreadGroup group = Thread.currentThread().getThreadGroup();

  private Thread thread;
  private Outcome outcome;
  private boolean asked;
  private double askedAt;
  private String reason = "";
  private boolean mayBeLeft;

  /**
   * Calls a function, unless it was asked to stop before, and waits for its end.
   *
   * @param function to call
   */
  synchronized Outcome run(Callable<?> function) {
    if (asked) {
      return new Outcome(Kind.STOPPED, null, null);
    }
    thread = Threads.startTask(group, () -> call(function));
    while (outcome == null) {
      double left = asked && mayBeLeft ? askedAt + PATIENCE_SECONDS - Reporter.now() : 3600;
      if (left <= 0) {
        outcome = new Outcome(Kind.LEFT, null, null);
        break;
      }
      try {
        wait((long) Math.ceil(left * 1000));
      } catch (InterruptedException error) {
        continue; // nobody interrupts our own thread
      }
    }
    return outcome;
  }

  /**
   * Asks to stop. Without effect once the function has returned, and the second time.
   *
   * @param why for people
   */
  synchronized void ask(String why) {
    if (asked || outcome != null) {
      return;
    }
    asked = true;
    askedAt = Reporter.now();
    reason = why;
    if (thread != null) {
      thread.interrupt();
    }
    notifyAll();
  }

  /** From now on a function that does not stop is left behind. */
  synchronized void allowLeaving() {
    mayBeLeft = true;
    notifyAll();
  }

  /**
   * The process is ending: takes that for the outcome if the function is what ends it.
   *
   * @param anywhere any thread that ends it acts for the function; else only its own
   * @return whether it is
   */
  synchronized boolean exits(boolean anywhere) {
    if (thread == null || outcome != null) {
      return outcome != null && outcome.kind() == Kind.EXITED;
    }
    if (ExitWatch.isExiting(thread) || (anywhere && ExitWatch.isAnyExiting())) {
      outcome = new Outcome(Kind.EXITED, null, null);
      notifyAll();
      return true;
    }
    return false;
  }

  synchronized boolean isAsked() {
    return asked;
  }

  synchronized String reason() {
    return reason;
  }

  private void call(Callable<?> function) {
    Outcome found;
    try {
      found = new Outcome(Kind.RETURNED, function.call(), null);
    } catch (Throwable thrown) { // whatever a task may throw
      found = new Outcome(Kind.RAISED, null, thrown);
    }
    synchronized (this) {
      if (outcome == null) {
        boolean stopped = found.thrown() != null && asked && cameOfInterrupt(found.thrown());
        outcome = stopped ? new Outcome(Kind.STOPPED, null, found.thrown()) : found;
        notifyAll();
      }
    }
  }

  private static boolean cameOfInterrupt(Throwable thrown) {
    Throwable at = thrown;
    for (int depth = 0; at != null && depth < 100; depth++, at = at.getCause()) {
      if (at instanceof InterruptedException
          || at instanceof InterruptedIOException
          || at instanceof ClosedByInterruptException
          || at instanceof CancellationException) {
        return true;
      }
    }
    return false;
  }
}
