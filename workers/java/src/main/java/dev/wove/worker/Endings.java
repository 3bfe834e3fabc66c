package dev.wove.worker;

import dev.wove.v1.ErrorInfo;
import dev.wove.v1.Event;

/** Makes terminal events that fit the receiver. */
final class Endings {
  private static final int DEFAULT_MAX_BYTES = 64 << 20;
  private static final int MAX_MINIMAL = 1000;

  private final Messages messages;
  private final String task;
  private final long maxBytes;

  /**
   * For one execution.
   *
   * @param messages of it
   * @param task its name, for people
   * @param maxBytes the largest event that the receiver takes, unsigned; 0: not known
   */
  Endings(Messages messages, String task, int maxBytes) {
    this.messages = messages;
    this.task = task;
    this.maxBytes = maxBytes == 0 ? DEFAULT_MAX_BYTES : Integer.toUnsignedLong(maxBytes);
  }

  /** Whether the receiver takes an event of this size. */
  boolean fits(Body body) {
    return body.data().length <= maxBytes;
  }

  /**
   * The function returned.
   *
   * @param value what it returned
   * @param values encodes it
   */
  Ending returned(Object value, Values values) {
    String json;
    try {
      json = values.toJson(value);
    } catch (Throwable trouble) { // the value's own code may run
      return wove(
          "ResultNotEncodable",
          "result_not_picklable",
          "the result of task "
              + quoted(task)
              + " cannot be written as JSON ("
              + trouble.getClass().getSimpleName()
              + "). Return plain data.");
    }
    try {
      Body body = messages.encode(messages.result(json));
      if (fits(body)) {
        return new Ending("succeeded", body, "", "");
      }
      return tooLarge(" (" + body.data().length + " bytes in its event)");
    } catch (OutOfMemoryError | RuntimeException trouble) { // a message ends at 2 GiB
      return tooLarge("");
    }
  }

  /**
   * The function threw.
   *
   * @param thrown by it
   */
  Ending raised(Throwable thrown) {
    return failed(Failures.describe(thrown));
  }

  /**
   * Running or delivering failed for a reason of Wove's own.
   *
   * @param kind of the failure
   * @param code of the contract's
   * @param message in words
   */
  Ending wove(String kind, String code, String message) {
    return failed(Failures.ofWove(kind, code, message));
  }

  /**
   * Something that has no throwable failed.
   *
   * @param info what is known
   */
  Ending failed(ErrorInfo info) {
    Body body = messages.encode(messages.error(info));
    if (!fits(body)) {
      return minimal(info);
    }
    return new Ending("failed", body, info.getKind(), info.getMessage());
  }

  /**
   * The function was stopped.
   *
   * @param reason why
   * @param forced it did not stop by itself
   */
  Ending stopped(String reason, boolean forced) {
    return new Ending("cancelled", messages.encode(messages.cancelled(reason, forced)), "", reason);
  }

  /**
   * In place of an ending that the receiver refused.
   *
   * @param refused the ending
   * @param answer to it
   */
  Ending inPlaceOf(Ending refused, Answer answer) {
    boolean large = answer.status() == 413;
    String was = refused.kind().isEmpty() ? refused.outcome() : refused.kind();
    return minimal(
        Failures.ofWove(
            large ? "ResultTooLarge" : "EventRefused",
            large ? "result_too_large" : "event_refused",
            "the receiver refused the last event of task "
                + quoted(task)
                + ": "
                + answer.text()
                + "; the event was: "
                + was));
  }

  private Ending tooLarge(String measured) {
    return wove(
        "ResultTooLarge",
        "result_too_large",
        "the result of task "
            + quoted(task)
            + " is too large to send"
            + measured
            + ": the receiver takes "
            + maxBytes
            + " bytes. Return less, or store it and return where it is.");
  }

  /** What no receiver has a reason to refuse: short ASCII, no cause. */
  private Ending minimal(ErrorInfo info) {
    ErrorInfo plain =
        ErrorInfo.newBuilder()
            .setKind(Text.ascii(info.getKind(), MAX_MINIMAL))
            .setMessage(Text.ascii(info.getMessage(), MAX_MINIMAL))
            .setSource(info.getSource())
            .setCode(info.getCode())
            .build();
    Event.Builder event = messages.error(plain);
    return new Ending("failed", messages.encode(event), plain.getKind(), plain.getMessage());
  }

  private static String quoted(String text) {
    return '"' + text + '"';
  }
}
