//! What answers ask of a running task.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::delivery::{Answer, Verdict, seconds};
use crate::limits::heartbeat_of;
use crate::stop::Stop;

const WEAVE_ASKED: &str = "the weave cancelled it";
const START_REFUSED: &str = "the weave refused its start";
const WEAVE_GONE: &str = "the weave no longer waits for it";

/// Takes answers to anything but a terminal event, from whichever thread.
pub(crate) struct Hearing {
    stop: Arc<Stop>,
    detached: bool,
    /// Nanoseconds between heartbeats; 0: the receiver takes none.
    heartbeat: AtomicU64,
}

impl Hearing {
    pub(crate) fn new(stop: Arc<Stop>, detached: bool, heartbeat: Option<Duration>) -> Self {
        let heartbeat = AtomicU64::new(heartbeat.map_or(0, nanoseconds));
        Self { stop, detached, heartbeat }
    }

    /// The answer to `task_started`, which lets the function run, or comes while it does.
    pub(crate) fn heard_of_start(&self, answer: &Answer) {
        self.heard(answer);
        if answer.is_final() && answer.verdict != Verdict::Accepted {
            self.ask(START_REFUSED);
        }
    }

    /// The answer to another event that is not terminal.
    pub(crate) fn heard(&self, answer: &Answer) {
        let asked = answer.ack.as_ref().and_then(|ack| ack.heartbeat_seconds);
        if let Some(seconds) = asked.filter(|asked| !seconds(*asked).is_zero())
            && self.interval().is_some()
        {
            self.heartbeat.store(nanoseconds(heartbeat_of(seconds)), Ordering::Relaxed);
        }
        if answer.cancels() {
            self.cancelled();
        } else if answer.refuses_all() {
            self.ask(WEAVE_GONE);
        }
    }

    pub(crate) fn cancelled(&self) {
        self.ask(WEAVE_ASKED);
    }

    /// The time between heartbeats.
    pub(crate) fn interval(&self) -> Option<Duration> {
        let interval = self.heartbeat.load(Ordering::Relaxed);
        (interval > 0).then(|| Duration::from_nanos(interval))
    }

    fn ask(&self, reason: &str) {
        if !self.detached {
            self.stop.ask(reason);
        }
    }
}

fn nanoseconds(interval: Duration) -> u64 {
    u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX)
}
