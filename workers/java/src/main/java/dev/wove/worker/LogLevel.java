package dev.wove.worker;

import java.util.Locale;

/** How serious a line is that a task logs with {@link TaskRun#log}. */
public enum LogLevel {
  /** For whoever looks for a fault. */
  DEBUG,
  /** What goes as expected. */
  INFO,
  /** What goes otherwise, and is coped with. */
  WARNING,
  /** What has failed. */
  ERROR,
  /** What keeps the task from going on. */
  CRITICAL;

  String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
