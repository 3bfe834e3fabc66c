package dev.wove.worker;

import java.util.ArrayDeque;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Progress and log lines on their way: in order, each sent once, and never at the expense of the
 * task, which goes on meanwhile.
 */
final class Extras {
  private static final int MAX_WAITING = 1000;
  private static final double ANSWER_SECONDS = 5;

  /** How long the end of a run waits for what is still under way. */
  private static final double DRAIN_SECONDS = 2;

  private final Route route;
  private final Consumer<Answer> heard;
  private final ArrayDeque<Body> waiting = new ArrayDeque<>();
  private boolean running;
  private boolean closed;

  /**
   * For one execution.
   *
   * @param route to its receiver
   * @param heard is called with each final answer
   */
  Extras(Route route, Consumer<Answer> heard) {
    this.route = route;
    this.heard = heard;
  }

  /**
   * Sends an event in the background. One too many is dropped, and any after the end.
   *
   * @param make makes the event; null: there is none
   */
  synchronized void send(Supplier<Body> make) {
    if (closed || waiting.size() >= MAX_WAITING) {
      return;
    }
    Body body = make.get();
    if (body == null) {
      return;
    }
    waiting.add(body);
    if (!running) {
      running = true;
      Threads.start("wove-extras", this::run);
    }
    notifyAll();
  }

  /** Takes no more, waits a little for what was taken, and drops the rest. */
  synchronized void close() {
    closed = true;
    double deadline = Reporter.now() + DRAIN_SECONDS;
    double left;
    while (running && (left = deadline - Reporter.now()) > 0) {
      try {
        notifyAll();
        wait((long) Math.ceil(left * 1000));
      } catch (InterruptedException error) {
        break;
      }
    }
    waiting.clear();
  }

  private void run() {
    Body body;
    while ((body = next()) != null) {
      Answer answer = route.post(body, Reporter.seconds(ANSWER_SECONDS), false);
      if (answer.verdict().isFinal()) {
        heard.accept(answer);
      }
    }
  }

  private synchronized Body next() {
    while (waiting.isEmpty() && !closed) {
      try {
        wait();
      } catch (InterruptedException error) {
        break;
      }
    }
    Body body = waiting.poll();
    if (body == null) {
      running = false;
      notifyAll();
    }
    return body;
  }
}
