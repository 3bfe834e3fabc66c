package dev.wove.worker;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Sees to it that a task that ends its process is reported before the process ends. */
final class ExitWatch {
  /** How long the end of the process waits for the reports. */
  static final double SECONDS = 20;

  private static final Set<Execution> LIVE = ConcurrentHashMap.newKeySet();

  static {
    try {
      Runtime.getRuntime().addShutdownHook(new Thread(ExitWatch::report, "wove-exit"));
    } catch (IllegalStateException error) {
      // the process is ending: what runs now is not waited for
    }
  }

  private ExitWatch() {}

  static void add(Execution execution) {
    LIVE.add(execution);
  }

  static void remove(Execution execution) {
    LIVE.remove(execution);
  }

  /**
   * Whether a thread waits in {@code System.exit}.
   *
   * @param thread any
   */
  static boolean isExiting(Thread thread) {
    return isExiting(thread.getStackTrace());
  }

  /** Whether any thread does; a signal ends the process without. */
  static boolean isAnyExiting() {
    return Thread.getAllStackTraces().values().stream().anyMatch(ExitWatch::isExiting);
  }

  private static boolean isExiting(StackTraceElement[] trace) {
    for (StackTraceElement element : trace) {
      if (element.getClassName().equals("java.lang.Runtime")
          && element.getMethodName().equals("exit")) {
        return true;
      }
    }
    return false;
  }

  private static void report() {
    double deadline = Reporter.now() + SECONDS;
    for (Execution execution : LIVE) {
      if (execution.exits(false)) {
        execution.await(deadline - Reporter.now());
      }
    }
  }
}
