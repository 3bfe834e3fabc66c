package dev.wove.worker;

import java.util.Optional;

/** One run of a task, as its function sees it. Any thread may use it. */
public interface TaskRun {
  /** {@return the name of this run} */
  String runId();

  /** {@return the name of the task in its weave} */
  String taskId();

  /** {@return the name by which the function was registered} */
  String taskName();

  /** {@return how many runs of this task there were before this one, by retry or requeue} */
  int attempt();

  /** {@return the weave's trace context in the form of W3C, if it sent one} */
  Optional<String> traceparent();

  /** {@return whether the task was asked to stop} Its thread was interrupted then, too. */
  boolean isCancelled();

  /**
   * Ends the task here if it was asked to stop.
   *
   * @throws InterruptedException it was
   */
  void checkCancelled() throws InterruptedException;

  /**
   * Reports how far the task is. It is sent in the background, and never twice; without effect
   * where the weave does not take it.
   *
   * @param current how much is done
   * @param total of how much
   * @param unit what is counted, such as "rows"; may be empty
   * @param message for people; may be empty
   * @throws IllegalArgumentException a number is not finite
   */
  void progress(double current, double total, String unit, String message);

  /**
   * Reports how far the task is.
   *
   * @param current how much is done
   * @param total of how much
   * @param unit what is counted, such as "rows"; may be empty
   * @throws IllegalArgumentException a number is not finite
   */
  default void progress(double current, double total, String unit) {
    progress(current, total, unit, "");
  }

  /**
   * Sends a line of the task's log to the weave, as {@link #progress} sends its reports.
   *
   * @param level how serious it is
   * @param message the line
   * @param logger the logger's name; may be empty
   */
  void log(LogLevel level, String message, String logger);

  /**
   * Sends a line of the task's log to the weave.
   *
   * @param level how serious it is
   * @param message the line
   */
  default void log(LogLevel level, String message) {
    log(level, message, "");
  }
}
