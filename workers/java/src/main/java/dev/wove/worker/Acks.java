package dev.wove.worker;

import dev.wove.v1.EventAck;

/** Acknowledgements. */
final class Acks {
  private Acks() {}

  /**
   * Reads the body of an answer.
   *
   * @param text JSON
   * @return the acknowledgement
   * @throws ContractException it is none
   */
  static EventAck parse(String text) throws ContractException {
    EventAck.Builder ack = EventAck.newBuilder();
    MessageReader.read(StrictJson.parse(text), ack);
    if (ack.hasHeartbeatSeconds() && ack.getHeartbeatSeconds() <= 0) {
      throw new ContractException("out_of_range", "heartbeat_seconds", "it is not above 0");
    }
    return ack.build();
  }
}
