package dev.wove.worker;

import com.google.gson.JsonObject;

/** A registered function, together with what reads its arguments. */
@FunctionalInterface
interface Task {
  /**
   * Calls it.
   *
   * @param arguments by name
   * @param run of the task
   * @param values reads them
   * @return what it returned
   * @throws Exception what it threw, or what is wrong with the arguments
   */
  Object call(JsonObject arguments, TaskRun run, Values values) throws Exception;
}
