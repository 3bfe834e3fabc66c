package dev.wove.worker;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Makes a record of a task's arguments, by name.
 *
 * @param <A> the record
 */
final class ArgumentsReader<A> {
  private final RecordComponent[] components;
  private final Constructor<A> constructor;

  /**
   * Looks at a record.
   *
   * @param type of it
   * @throws IllegalArgumentException it cannot be made from here
   */
  ArgumentsReader(Class<A> type) {
    if (!type.isRecord()) {
      throw new IllegalArgumentException(type.getName() + " is no record");
    }
    components = type.getRecordComponents();
    Class<?>[] types =
        Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
    try {
      constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
    } catch (ReflectiveOperationException | RuntimeException error) {
      throw new IllegalArgumentException(
          type.getName() + " cannot be made from here: open its package to dev.wove.worker", error);
    }
  }

  /**
   * Makes the record.
   *
   * @param arguments by name
   * @param values reads them
   * @return the record
   * @throws ArgumentException they are not what the record takes
   * @throws Exception what the record's own constructor threw
   */
  A read(JsonObject arguments, Values values) throws Exception {
    List<String> surplus = new ArrayList<>(arguments.keySet());
    Object[] found = new Object[components.length];
    for (int index = 0; index < found.length; index++) {
      String name = components[index].getName();
      surplus.remove(name);
      found[index] = argument(arguments.get(name), components[index], values);
    }
    if (!surplus.isEmpty()) {
      throw new ArgumentException("the task takes no arguments of these names: " + surplus);
    }
    try {
      return constructor.newInstance(found);
    } catch (InvocationTargetException error) {
      if (error.getCause() instanceof Exception cause) {
        throw cause;
      }
      throw error;
    }
  }

  private static Object argument(JsonElement json, RecordComponent component, Values values)
      throws ArgumentException {
    String name = component.getName();
    Type type = component.getGenericType();
    boolean optional = component.getType() == Optional.class;
    if (json == null && !optional) {
      throw new ArgumentException("the argument " + name + " is missing");
    }
    if (optional && type instanceof ParameterizedType parameterized) {
      type = parameterized.getActualTypeArguments()[0];
    }
    Object value;
    try {
      value = json == null ? null : values.fromJson(json, type);
    } catch (RuntimeException error) { // which may quote the value
      throw new ArgumentException("the argument " + name + " is no " + type.getTypeName());
    }
    if (optional) {
      return Optional.ofNullable(value);
    }
    if (value == null && component.getType().isPrimitive()) {
      throw new ArgumentException("the argument " + name + " must not be null");
    }
    return value;
  }

  /** The arguments are not what the task takes. The message names them, never their values. */
  static final class ArgumentException extends Exception {
    private static final long serialVersionUID = 1L;

    ArgumentException(String message) {
      super(message);
    }
  }
}
