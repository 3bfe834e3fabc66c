package dev.wove.worker.examples;

import dev.wove.worker.LogLevel;
import dev.wove.worker.RawJson;
import dev.wove.worker.TaskRun;
import dev.wove.worker.Worker;
import java.math.BigDecimal;
import java.util.Optional;

/** A worker program: the tasks with which the contract's conformance is judged. */
public final class Tasks {
  private static final long STEP_MILLIS = 50;

  private Tasks() {}

  record Sum(BigDecimal a, BigDecimal b) {}

  record Echo(RawJson value) {}

  record Failure(String message, Optional<String> cause) {}

  record Wait(BigDecimal seconds) {}

  record Steps(int steps) {}

  /**
   * Makes the worker.
   *
   * @return it
   */
  public static Worker worker() {
    return Worker.builder()
        .task("add", Sum.class, (sum, run) -> sum.a().add(sum.b()))
        .task("echo", Echo.class, (echo, run) -> echo.value())
        .task("fail", Failure.class, Tasks::fail)
        .task("slow", Wait.class, Tasks::slow)
        .task("progress", Steps.class, Tasks::progress)
        .build();
  }

  /**
   * Runs one payload.
   *
   * @param args the payload, or nothing where the environment holds it
   */
  public static void main(String[] args) {
    worker().main(args);
  }

  private static Object fail(Failure failure, TaskRun run) {
    Throwable cause = failure.cause().map(IllegalArgumentException::new).orElse(null);
    throw new IllegalStateException(failure.message(), cause);
  }

  private static Object slow(Wait wait, TaskRun run) throws InterruptedException {
    long end = System.nanoTime() + wait.seconds().movePointRight(9).longValue();
    long left;
    while ((left = (end - System.nanoTime() + 999_999) / 1_000_000) > 0) {
      Thread.sleep(Math.min(left, STEP_MILLIS)); // an interrupt ends it
    }
    return wait.seconds();
  }

  private static Object progress(Steps wanted, TaskRun run) {
    for (int step = 1; step <= wanted.steps(); step++) {
      run.progress(step, wanted.steps(), "steps");
      if (step == wanted.steps() / 2) {
        run.log(LogLevel.INFO, "halfway");
      }
    }
    return wanted.steps();
  }
}
