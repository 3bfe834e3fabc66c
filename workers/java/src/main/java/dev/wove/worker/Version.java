package dev.wove.worker;

/** The version of this library. */
final class Version {
  /** As in pom.xml, which a test compares. */
  static final String TEXT = "3.0.0-SNAPSHOT";

  private Version() {}
}
