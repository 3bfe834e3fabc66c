package dev.wove.worker;

import dev.wove.v1.RunSummary;

/** The last event of a run could not be delivered: its weave does not know how it ended. */
public final class UndeliveredException extends Exception {
  private static final long serialVersionUID = 1L;

  /** What became of the run. */
  private final RunSummary summary;

  UndeliveredException(String message, RunSummary summary) {
    super(message);
    this.summary = summary;
  }

  /**
   * Returns what became of the run.
   *
   * @return the summary, whose {@code delivered} is false
   */
  public RunSummary summary() {
    return summary;
  }
}
