package dev.wove.worker;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A program that runs one payload. */
final class Program {
  private static final int DELIVERED = 0;
  private static final int UNDELIVERED = 1;
  private static final int NO_PAYLOAD = 2;

  private final Worker worker;
  private final CountDownLatch done = new CountDownLatch(1);
  private volatile int status = UNDELIVERED;

  Program(Worker worker) {
    this.worker = worker;
  }

  /**
   * Runs it and ends the process.
   *
   * @param arguments of the program
   */
  void run(String... arguments) {
    Output output = new Output();
    System.setOut(new PrintStream(output, true, Charset.defaultCharset()));
    Execution execution = begin(arguments);
    if (execution != null) {
      execution.allowLeaving();
      onSignal(execution);
      wait(execution);
      output.line(Worker.toJson(execution.summary()));
      if (execution.failure() != null) {
        System.err.println("wove: " + execution.failure().getMessage());
      }
      // Of a detached run an end that nobody was there to hear is no failure.
      status = execution.failure() == null ? DELIVERED : UNDELIVERED;
    }
    done.countDown();
    if (execution != null && execution.isLeft()) {
      // The task still runs, and may hold up any orderly end.
      Runtime.getRuntime().halt(status);
    }
    Threads.endProcess();
    System.exit(status);
  }

  private Execution begin(String... arguments) {
    try {
      String text = Handover.take(Handover.exact(arguments), Handover.exactVariable());
      if (System.getenv(Handover.VARIABLE) != null) {
        System.err.println(
            "wove: the task can see " + Handover.VARIABLE + "; the README says how to hide it");
      }
      return worker.start(Payloads.decode(text));
    } catch (InvalidPayloadException error) {
      System.err.println("wove: " + error.getMessage());
      status = NO_PAYLOAD;
      return null;
    }
  }

  private static void wait(Execution execution) {
    while (true) {
      try {
        execution.await();
        return;
      } catch (InterruptedException error) {
        execution.shutDown();
      }
    }
  }

  /** A signal, or the task, ends the process: what there is to report is reported first. */
  private void onSignal(Execution execution) {
    Thread hook =
        new Thread(
            () -> {
              if (done.getCount() == 0) {
                return;
              }
              if (!execution.exits(true)) {
                execution.shutDown();
              }
              execution.await(ExitWatch.SECONDS);
              awaitDone();
              Runtime.getRuntime().halt(status);
            },
            "wove-signal");
    try {
      Runtime.getRuntime().addShutdownHook(hook);
    } catch (IllegalStateException error) {
      execution.shutDown(); // the signal was faster
    }
  }

  private void awaitDone() {
    try {
      done.await(1, TimeUnit.SECONDS);
    } catch (InterruptedException error) {
      return;
    }
  }

  /** Standard output, of which the last line is ours. */
  private static final class Output extends FilterOutputStream {
    private boolean inLine;

    Output() {
      super(new FileOutputStream(FileDescriptor.out));
    }

    @Override
    public synchronized void write(int next) throws IOException {
      out.write(next);
      inLine = next != '\n';
    }

    @Override
    public synchronized void write(byte[] data, int begin, int length) throws IOException {
      out.write(data, begin, length);
      if (length > 0) {
        inLine = data[begin + length - 1] != '\n';
      }
    }

    synchronized void line(String text) {
      try {
        OutputStream raw = out;
        raw.write(((inLine ? "\n" : "") + text + "\n").getBytes(StandardCharsets.UTF_8));
        raw.flush();
      } catch (IOException error) {
        System.err.println("wove: standard output is closed");
      }
    }
  }
}
