package dev.wove.worker;

/**
 * What was handed over is no payload: there is nobody to report to, so the backend's job fails. The
 * message never holds any part of it.
 */
public final class InvalidPayloadException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  InvalidPayloadException(String problem) {
    super(
        "this is no Wove payload: "
            + problem
            + ". Hand over the payload that the backend was given, unchanged.");
  }
}
