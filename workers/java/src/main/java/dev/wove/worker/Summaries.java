package dev.wove.worker;

import dev.wove.v1.RunSummary;
import dev.wove.v1.SummaryError;
import dev.wove.v1.TaskPayload;

/** What a run gives back to its backend: no value, no token. */
final class Summaries {
  private static final int MAX_MESSAGE = 1000;

  private Summaries() {}

  /**
   * Makes a summary.
   *
   * @param payload of the run
   * @param outcome of it
   * @param delivered whether the receiver has answered the last event finally
   * @param kind of the error
   * @param message of the error; both empty if there is none
   */
  static RunSummary of(
      TaskPayload payload, String outcome, boolean delivered, String kind, String message) {
    RunSummary.Builder found =
        RunSummary.newBuilder()
            .setWoveVersion(Version.TEXT)
            .setRunId(payload.getRunId())
            .setOutcome(outcome)
            .setDelivered(delivered)
            .setCallbackUrl(Endpoint.redacted(payload.getCallbackUrl()));
    if (!kind.isEmpty() || !message.isEmpty()) {
      found.setError(
          SummaryError.newBuilder()
              .setKind(kind)
              .setMessage(Text.first(Text.scrub(message), MAX_MESSAGE)));
    }
    return found.build();
  }

  /**
   * Says that a receiver could not be reached.
   *
   * @param payload of the run
   * @param what could not be reported
   * @param trouble that was met
   */
  static String unreachable(TaskPayload payload, String what, String trouble) {
    return "the worker could not report "
        + what
        + " of task \""
        + Tasks.name(payload)
        + "\" to "
        + Endpoint.redacted(payload.getCallbackUrl())
        + ": "
        + trouble
        + ". That address must lead from the worker to the weave's process.";
  }
}
