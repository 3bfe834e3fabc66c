package dev.wove.worker;

import java.util.Objects;

/**
 * A JSON value as text, exact to the digit.
 *
 * <p>As a component of a task's arguments it takes any value. As a task's result, or anywhere
 * inside one, it is sent as it is.
 *
 * @param text one JSON value of RFC 8259
 */
public record RawJson(String text) {
  /**
   * Takes a text; whether it is JSON is found out when it is sent.
   *
   * @param text one JSON value of RFC 8259
   */
  public RawJson {
    Objects.requireNonNull(text, "text");
  }

  /** Returns the text. */
  @Override
  public String toString() {
    return text;
  }
}
