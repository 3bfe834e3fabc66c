package dev.wove.worker;

import java.time.Duration;
import java.util.function.Consumer;

/** The way from an execution to its receiver. Any thread may use it. */
interface Route {
  /**
   * One try. To have no answer is an answer, too.
   *
   * @param body the event, the same at every try
   * @param timeout after which an answer is not waited for
   * @param fresh use a new connection
   */
  Answer post(Body body, Duration timeout, boolean fresh);

  /**
   * Makes a way for heartbeats that shares no connection with other events.
   *
   * @param heard is called, from any thread, with what the receiver says unasked
   */
  Line line(Consumer<Answer> heard);

  /** A connection of heartbeats. One thread uses it. */
  interface Line extends AutoCloseable {
    /**
     * One try.
     *
     * @param body the heartbeat
     * @param timeout after which its answer is not waited for
     * @param fresh use a new connection
     */
    Answer beat(Body body, Duration timeout, boolean fresh);

    /** The receiver can speak unasked, once there has been a beat. */
    boolean pushes();

    @Override
    void close();
  }
}
