package dev.wove.worker;

/**
 * What a task does.
 *
 * @param <A> the arguments: a record whose components are named like them
 */
@FunctionalInterface
public interface TaskFunction<A> {
  /**
   * Does it, in a thread of its own, which is interrupted when the task is cancelled.
   *
   * <p>A function that was interrupted should let the {@link InterruptedException}, or what its
   * blocking call throws in its place, pass: the task is then reported as cancelled. If it returns
   * all the same, its result counts.
   *
   * @param arguments by name
   * @param run what is known of the run, and ways to report from it
   * @return the result: null, text, numbers, booleans, lists, maps and records of these, Gson's
   *     {@code JsonElement}, or {@link RawJson}
   * @throws Exception the task has failed; its type, message, stack trace and causes are reported
   */
  Object call(A arguments, TaskRun run) throws Exception;
}
