package dev.wove.worker;

import dev.wove.v1.Event;

/**
 * An event, encoded once and sent unchanged on every retry.
 *
 * @param event what it says
 * @param data its bytes for HTTP
 * @param contentType of these
 */
record Body(Event event, byte[] data, String contentType) {}
