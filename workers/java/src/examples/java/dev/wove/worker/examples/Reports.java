package dev.wove.worker.examples;

import dev.wove.worker.LogLevel;
import dev.wove.worker.TaskRun;
import dev.wove.worker.Worker;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A worker that serves one task. */
public final class Reports {
  private Reports() {}

  /** The arguments, by name. One that may be absent is an Optional. */
  record Statement(String account, List<BigDecimal> amounts, Optional<String> currency) {}

  static Object statement(Statement wanted, TaskRun run) throws InterruptedException {
    BigDecimal balance = BigDecimal.ZERO;
    for (int index = 0; index < wanted.amounts().size(); index++) {
      run.checkCancelled();
      balance = balance.add(wanted.amounts().get(index));
      run.progress(index + 1, wanted.amounts().size(), "amounts");
    }
    run.log(LogLevel.INFO, "balanced " + wanted.account());
    return Map.of("balance", balance, "currency", wanted.currency().orElse("EUR"));
  }

  /** The worker; one for the whole process. */
  static final Worker WORKER =
      Worker.builder().task("statement", Statement.class, Reports::statement).build();

  /**
   * Runs one payload.
   *
   * @param args the payload, or nothing where the environment holds it
   */
  public static void main(String[] args) {
    WORKER.main(args);
  }
}
