package dev.wove.worker;

/**
 * How a run ended.
 *
 * @param outcome as in RunSummary
 * @param body the terminal event
 * @param kind of the error; empty without one
 * @param message of the error, or the reason
 */
record Ending(String outcome, Body body, String kind, String message) {}
