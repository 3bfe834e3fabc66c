package dev.wove.worker;

/** Threads of this library's own: daemons, so that none of them keeps the process. */
final class Threads {
  /** They, and what HTTP clients that are made in them start. */
  private static final ThreadGroup OURS = new ThreadGroup("wove");

  private Threads() {}

  /**
   * Starts a thread of ours.
   *
   * @param name for people
   * @param work to do
   */
  static void start(String name, Runnable work) {
    start(new Thread(OURS, work, name));
  }

  /**
   * Starts a task's thread.
   *
   * @param group of the thread that runs the payload: what the task starts belongs there, too
   * @param work to do
   */
  static Thread startTask(ThreadGroup group, Runnable work) {
    return start(new Thread(group, work, "wove-task"));
  }

  /**
   * Wakes all threads of ours when the process ends. Java waits 300 ms for threads in native code,
   * where an HTTP client's own thread always is; it ends when it is interrupted.
   */
  static void endProcess() {
    OURS.interrupt();
  }

  private static Thread start(Thread thread) {
    thread.setDaemon(true);
    thread.start();
    return thread;
  }
}
