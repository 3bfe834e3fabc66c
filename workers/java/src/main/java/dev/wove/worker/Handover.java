package dev.wove.worker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How a program is handed its payload. */
final class Handover {
  /** The variable that holds it where there is no argument. */
  static final String VARIABLE = "WOVE_BACKEND_PAYLOAD";

  private Handover() {}

  /**
   * Finds the payload's text.
   *
   * @param arguments of the program
   * @param variable the value of {@link #VARIABLE}; may be null
   * @return JSON, or base64 of it
   * @throws InvalidPayloadException there is none, or its file cannot be read
   */
  static String take(String[] arguments, String variable) {
    String given = arguments.length > 0 ? arguments[0] : variable;
    if (given == null || given.isBlank()) {
      throw new InvalidPayloadException("there is neither an argument nor " + VARIABLE);
    }
    if (arguments.length == 0 || !given.startsWith("@")) {
      return given;
    }
    try {
      return StrictJson.decode(Files.readAllBytes(Path.of(given.substring(1))));
    } catch (IOException | InvalidPathException error) {
      throw new InvalidPayloadException("its file cannot be read");
    } catch (ContractException error) {
      throw new InvalidPayloadException(error.getMessage());
    }
  }

  /**
   * The arguments as they were given. Where the locale is not UTF-8, the virtual machine has
   * already replaced what is beyond ASCII.
   *
   * @param arguments as the virtual machine decoded them
   */
  static String[] exact(String[] arguments) {
    List<String> words = isUnicodeLocale() ? List.of() : read("/proc/self/cmdline");
    if (words.size() < arguments.length) {
      return arguments;
    }
    return words.subList(words.size() - arguments.length, words.size()).toArray(String[]::new);
  }

  /** The value of {@link #VARIABLE}, for the same reason; null if it is not set. */
  static String exactVariable() {
    String value = System.getenv(VARIABLE);
    if (value != null && !isUnicodeLocale()) {
      String begin = VARIABLE + "=";
      for (String entry : read("/proc/self/environ")) {
        if (entry.startsWith(begin)) {
          return entry.substring(begin.length());
        }
      }
    }
    return value;
  }

  private static boolean isUnicodeLocale() {
    String name = System.getProperty("sun.jnu.encoding", "");
    return name.equalsIgnoreCase("UTF-8") || name.equalsIgnoreCase("UTF8");
  }

  /** Texts that end with NUL; none where the file is not there. */
  private static List<String> read(String path) {
    List<String> found = new ArrayList<>();
    try {
      String all = StrictJson.decode(Files.readAllBytes(Path.of(path)));
      for (int at = 0, end; (end = all.indexOf('\0', at)) >= 0; at = end + 1) {
        found.add(all.substring(at, end));
      }
    } catch (IOException | ContractException error) {
      return List.of();
    }
    return found;
  }
}
