/** What is wrong with a message: the closed set of the contract. */
export type ContractErrorCode =
  | "invalid_utf8"
  | "invalid_json"
  | "invalid_protobuf"
  | "too_deep"
  | "wrong_type"
  | "out_of_range"
  | "not_finite"
  | "invalid_base64"
  | "invalid_text"
  | "invalid_id"
  | "missing_field"
  | "conflicting_value";

/** A message that the contract does not allow. Its text never holds a value of the message. */
export class ContractError extends Error {
  override readonly name = "ContractError";
  /** What is wrong, for programs. */
  readonly code: ContractErrorCode;
  /**
   * The field, such as `delivery.delivery_timeout` or `accepts[1]`; empty when the message as
   * a whole is wrong.
   */
  readonly path: string;
  /** What was expected, for people. */
  readonly problem: string;

  constructor(code: ContractErrorCode, path: string, problem: string) {
    super(path ? `${path}: ${problem}` : problem);
    this.code = code;
    this.path = path;
    this.problem = problem;
  }

  /** The same error, seen from the message that holds this one as `outer`. */
  inside(outer: string): ContractError {
    const joint = !this.path || this.path.startsWith("[") ? "" : ".";
    return new ContractError(this.code, `${outer}${joint}${this.path}`, this.problem);
  }
}
