package dev.wove.worker;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import dev.wove.v1.RunSummary;
import dev.wove.v1.TaskPayload;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Functions by the name of their task, and the way to run payloads with them.
 *
 * <p>A worker never changes, and runs any number of payloads, also at the same time.
 */
public final class Worker {
  private final Tasks tasks;
  private final Encoding encoding;

  private Worker(Builder builder) {
    this.tasks = new Tasks(builder.functions, new Values(builder.gson));
    this.encoding = builder.encoding;
  }

  /**
   * Begins a worker.
   *
   * @return a builder without tasks
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Runs a payload and reports to its weave. Blocks until it is reported.
   *
   * <p>That the task failed or was cancelled is no failure of this method: the weave is told. To
   * interrupt the calling thread means that the worker is shutting down: the task is stopped and
   * reported as cancelled, within 20 seconds, and the thread is left interrupted. A function that
   * does not stop within 5 seconds then is reported as cancelled by force, and its thread is left
   * behind.
   *
   * @param payload JSON, or base64 of it, as the backend was given it
   * @return what became of the run, small and plain enough for every backend to store
   * @throws UndeliveredException the last event could not be delivered
   * @throws InvalidPayloadException it is no payload: there is nobody to report to
   */
  public RunSummary run(String payload) throws UndeliveredException {
    return run(start(Payloads.decode(payload)));
  }

  /**
   * Runs a payload, as {@link #run(String)} does.
   *
   * @param payload in UTF-8
   * @return what became of the run
   * @throws UndeliveredException the last event could not be delivered
   * @throws InvalidPayloadException it is no payload: there is nobody to report to
   */
  public RunSummary run(byte[] payload) throws UndeliveredException {
    return run(start(Payloads.decode(payload)));
  }

  /**
   * Runs the payload that this program was started with, and ends the process.
   *
   * <p>The payload is the first argument, or else the variable {@code WOVE_BACKEND_PAYLOAD};
   * {@code @path} names a file that holds it. The last line of standard output is the run's summary
   * as JSON. The exit status is 0 when the last event was answered finally, 1 when it could not be
   * delivered, and 2 when there was no payload.
   *
   * @param arguments of the program
   */
  public void main(String... arguments) {
    new Program(this).run(arguments);
  }

  /**
   * Writes a summary as JSON, for a backend to store.
   *
   * @param summary of a run
   * @return one line
   */
  public static String toJson(RunSummary summary) {
    return MessageWriter.summary(summary);
  }

  Execution start(TaskPayload payload) {
    return new Execution(payload, tasks, encoding);
  }

  private static RunSummary run(Execution execution) throws UndeliveredException {
    boolean interrupted = false;
    while (true) {
      try {
        execution.await();
        break;
      } catch (InterruptedException error) {
        interrupted = true;
        execution.shutDown();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (execution.failure() != null) {
      throw execution.failure();
    }
    return execution.summary();
  }

  /** Collects the tasks of a worker. */
  public static final class Builder {
    private final Map<String, Task> functions = new HashMap<>();
    private Gson gson = Values.defaultGson();
    private Encoding encoding = Encoding.named(System.getenv(Encoding.VARIABLE));

    private Builder() {}

    /**
     * Registers a function whose arguments are the components of a record.
     *
     * <p>Every component must be given, unless it is an {@link java.util.Optional}, and no other
     * argument may be. A component's type is whatever Gson reads: text, numbers (a {@code long} or
     * a {@code BigInteger} that does not fit is refused, never cut), booleans, lists, maps,
     * records, or {@link RawJson} for any value as it is.
     *
     * @param <A> the record
     * @param name of the task
     * @param arguments the record
     * @param function what the task does
     * @return this
     * @throws IllegalArgumentException the name is taken, or the record cannot be made
     */
    public <A extends Record> Builder task(
        String name, Class<A> arguments, TaskFunction<? super A> function) {
      ArgumentsReader<A> reader = new ArgumentsReader<>(arguments);
      Objects.requireNonNull(function, "function");
      return add(name, (json, run, values) -> function.call(reader.read(json, values), run));
    }

    /**
     * Registers a function that takes whatever arguments there are.
     *
     * @param name of the task
     * @param function what the task does; it is given the arguments as a JSON object whose numbers
     *     keep their digits
     * @return this
     * @throws IllegalArgumentException the name is taken
     */
    public Builder task(String name, TaskFunction<? super JsonObject> function) {
      Objects.requireNonNull(function, "function");
      return add(name, (json, run, values) -> function.call(json, run));
    }

    /**
     * Sets what reads arguments and writes results.
     *
     * @param gson settings, such as adapters for types of one's own
     * @return this
     */
    public Builder gson(Gson gson) {
      this.gson = Objects.requireNonNull(gson, "gson");
      return this;
    }

    /**
     * Sets how events are written. By default the variable {@code WOVE_ENCODING} decides, and where
     * there is none the payload: gRPC where it is offered, else protobuf where the payload names
     * its receiver, else JSON.
     *
     * @param encoding of events; null: the payload decides
     * @return this
     */
    public Builder encoding(Encoding encoding) {
      this.encoding = encoding;
      return this;
    }

    /**
     * Makes the worker.
     *
     * @return it
     */
    public Worker build() {
      return new Worker(this);
    }

    private Builder add(String name, Task task) {
      if (functions.putIfAbsent(Objects.requireNonNull(name, "name"), task) != null) {
        throw new IllegalArgumentException("there is a task " + name + " already");
      }
      return this;
    }
  }
}
