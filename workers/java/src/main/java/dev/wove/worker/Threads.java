package dev.wove.worker;

/** Threads of this library's own: daemons, so that none of them keeps the process. */
final class Threads {
  private Threads() {}

  static Thread start(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }
}
