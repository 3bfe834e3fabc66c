package dev.wove.worker;

/** A message breaks a rule of the contract. */
final class ContractException extends Exception {
  private static final long serialVersionUID = 1L;

  /** Which rule, in the words of the contract's vectors. */
  final String code;

  /** Where, such as {@code delivery.delivery_timeout}; empty for the whole message. */
  final String path;

  /**
   * Describes the break.
   *
   * @param code which rule
   * @param path where
   * @param problem in words, without any value
   */
  ContractException(String code, String path, String problem) {
    super(path.isEmpty() ? problem : path + ": " + problem);
    this.code = code;
    this.path = path;
  }
}
