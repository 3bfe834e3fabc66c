package dev.wove.worker;

/** What an answer means for the delivery of an event. */
enum Verdict {
  /** Done. */
  ACCEPTED,
  /** Try again later. */
  RETRY,
  /** Try again on a new connection: another receiver answered. */
  ELSEWHERE,
  /** The receiver does not take this event (400, 413, 415). */
  INVALID,
  /** Another terminal event, or another execution, was first (409). */
  CONFLICT,
  /** Nobody waits for the run (410). */
  GONE,
  /** Another final refusal. */
  REFUSED;

  boolean isFinal() {
    return this != RETRY && this != ELSEWHERE;
  }
}
