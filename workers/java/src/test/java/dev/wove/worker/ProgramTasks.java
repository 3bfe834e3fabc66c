package dev.wove.worker;

/** A program whose tasks are hard on it. */
final class ProgramTasks {
  private ProgramTasks() {}

  public static void main(String[] args) {
    Worker.builder()
        .task("exit", (arguments, run) -> exit())
        .task(
            "error",
            (arguments, run) -> {
              throw new StackOverflowError("deep");
            })
        .task(
            "print",
            (arguments, run) -> {
              System.out.print("not the last line");
              return null;
            })
        .task(
            "deaf",
            (arguments, run) -> {
              while (true) {
                Thread.onSpinWait();
              }
            })
        .task("sleep", (arguments, run) -> sleep())
        .build()
        .main(args);
  }

  private static Object exit() {
    System.exit(7);
    return null;
  }

  private static Object sleep() throws InterruptedException {
    Thread.sleep(60_000);
    return null;
  }
}
