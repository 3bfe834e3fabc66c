//! Times and sizes of the contract.

use std::time::Duration;

use wove_proto::v1::TaskPayload;

use crate::delivery::seconds;

/// The times that tests make shorter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The deadline of `task_started`.
    pub start: Duration,
    /// How long the first try may hold up a task that need not wait for it.
    pub ungated: Duration,
    /// How long a function that was asked to stop is waited for, where it can be left behind.
    pub patience: Duration,
    /// How long a worker that is shutting down goes on delivering.
    pub hurry: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(60),
            ungated: Duration::from_secs(1),
            patience: Duration::from_secs(5),
            hurry: Duration::from_secs(15),
        }
    }
}

const DEFAULT_HEARTBEAT: Duration = Duration::from_secs(5);
const SHORTEST_HEARTBEAT: Duration = Duration::from_millis(10);
const SHORTEST_DELIVERY: Duration = Duration::from_secs(300);
const LONGEST_DELIVERY: Duration = Duration::from_secs(3600);
const ASSUMED_MAX_BYTES: u32 = 64 << 20;

/// For how long a terminal event is tried.
pub(crate) fn terminal_deadline(payload: &TaskPayload, ran: Duration) -> Duration {
    match payload.delivery_retry_seconds {
        Some(asked) if asked > 0.0 => seconds(asked),
        _ => ran.clamp(SHORTEST_DELIVERY, LONGEST_DELIVERY),
    }
}

/// The largest event that the receiver takes.
pub(crate) fn max_bytes(payload: &TaskPayload) -> usize {
    let limit = payload.max_event_bytes.filter(|limit| *limit > 0).unwrap_or(ASSUMED_MAX_BYTES);
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Whether the receiver takes an extension frame.
pub(crate) fn accepts(payload: &TaskPayload, frame: &str) -> bool {
    payload.accepts.iter().any(|known| known == frame)
}

/// The time between heartbeats, where the receiver takes them.
pub(crate) fn heartbeat_interval(payload: &TaskPayload) -> Option<Duration> {
    let asked = payload.delivery.as_ref().and_then(|found| found.delivery_heartbeat_seconds);
    accepts(payload, "heartbeat").then(|| match asked {
        Some(asked) if asked > 0.0 => heartbeat_of(asked / 3.0),
        _ => DEFAULT_HEARTBEAT,
    })
}

/// An interval that somebody asked for, within reason.
pub(crate) fn heartbeat_of(asked: f64) -> Duration {
    seconds(asked).max(SHORTEST_HEARTBEAT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_the_end_is_tried() {
        for (given, expected) in
            [(Some(2.5), 2.5), (Some(0.0), 300.0), (Some(-1.0), 300.0), (None, 300.0)]
        {
            let payload = TaskPayload { delivery_retry_seconds: given, ..TaskPayload::default() };
            let found = terminal_deadline(&payload, Duration::from_secs(1));
            assert_eq!(found.as_secs_f64(), expected, "{given:?}");
        }
    }
}
