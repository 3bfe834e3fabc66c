package dev.wove.worker;

import dev.wove.v1.Event;
import dev.wove.v1.EventAck;
import java.util.OptionalDouble;

/**
 * An answer, judged by the table of ack.proto.
 *
 * @param verdict what to do
 * @param status of HTTP, or the one that stands for gRPC's; 0 without an answer
 * @param text the answer in words
 * @param ack its body; null if it has none that can be read
 * @param retryAfter seconds that the receiver asks to wait
 */
record Answer(Verdict verdict, int status, String text, EventAck ack, OptionalDouble retryAfter) {

  /**
   * There was none.
   *
   * @param text why
   */
  static Answer none(String text) {
    return new Answer(Verdict.RETRY, 0, text, null, OptionalDouble.empty());
  }

  /**
   * Judges an answer.
   *
   * @param status of HTTP, or the one that stands for gRPC's
   * @param text the status in words
   * @param answeredBy the id that it carries; null: none
   * @param receiverId the payload's; empty if it has none
   * @param retryAfter seconds that it asks to wait
   * @param ack its body; may be null
   */
  static Answer judge(
      int status,
      String text,
      String answeredBy,
      String receiverId,
      OptionalDouble retryAfter,
      EventAck ack) {
    Verdict verdict = verdict(status);
    String words = text;
    if (!receiverId.isEmpty()) {
      if (answeredBy == null) {
        // A balancer's or a proxy's own, whatever its status.
        verdict = Verdict.RETRY;
        words = text + ", not from a Wove receiver";
      } else if (!answeredBy.equals(receiverId) && (status == 404 || status == 410)) {
        verdict = Verdict.ELSEWHERE;
        words = text + " from another receiver";
      }
    }
    return new Answer(verdict, status, words, verdict == Verdict.ACCEPTED ? ack : null, retryAfter);
  }

  /** The receiver asks to stop the task. */
  boolean cancels() {
    return ack != null && ack.hasCancel();
  }

  /**
   * The task is not to be called, or to be stopped if it runs.
   *
   * @param frame that was answered
   * @param detached the weave may be gone: of a refused start all but that counts, and later
   *     nothing
   */
  boolean stops(Event.FrameCase frame, boolean detached) {
    return switch (frame) {
      case TASK_STARTED ->
          verdict == Verdict.ACCEPTED
              ? cancels() && !detached
              : verdict.isFinal() && !(detached && verdict == Verdict.GONE);
      case HEARTBEAT, PROGRESS, LOG -> !detached && (cancels() || refusesAll());
      default -> false;
    };
  }

  /** To a terminal event: a minimal one is to be sent in its place. */
  boolean asksForAnother() {
    return verdict == Verdict.INVALID;
  }

  /** Nothing that this execution sends will be taken any more. */
  private boolean refusesAll() {
    return verdict.isFinal()
        && switch (status) {
          case 401, 404, 409, 410 -> true;
          default -> false;
        };
  }

  /** A new interval for heartbeats, if it holds one that makes sense. */
  OptionalDouble heartbeatSeconds() {
    double seconds = ack == null ? 0 : ack.getHeartbeatSeconds();
    return seconds > 0 && seconds < Double.POSITIVE_INFINITY
        ? OptionalDouble.of(seconds)
        : OptionalDouble.empty();
  }

  private static Verdict verdict(int status) {
    if (status >= 200 && status < 300) {
      return Verdict.ACCEPTED;
    }
    switch (status) {
      case 400:
      case 413:
      case 415:
        return Verdict.INVALID;
      case 408:
      case 429:
        return Verdict.RETRY;
      case 409:
        return Verdict.CONFLICT;
      case 410:
        return Verdict.GONE;
      case 421:
        return Verdict.ELSEWHERE;
      default:
        return status >= 400 && status < 500 ? Verdict.REFUSED : Verdict.RETRY;
    }
  }
}
