//! The heartbeats of one execution, from a thread and a connection of their own.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::delivery::{Line, Route, Verdict, backoff};
use crate::hearing::Hearing;
use crate::messages::Messages;

/// How long an answer to a heartbeat is waited for.
const BEAT_TIMEOUT: Duration = Duration::from_secs(10);
/// Keeps a failing beat from being tried in a tight loop.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Beats until it is dropped. A beat is made when it is due and sent once: the next one says more.
pub(crate) struct Pulse {
    ending: Arc<Ending>,
    thread: Option<JoinHandle<()>>,
}

type Breaker = Box<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Ending {
    /// Whether the end has come, and what it breaks.
    state: Mutex<(bool, Option<Breaker>)>,
    changed: Condvar,
}

impl Pulse {
    /// Begins, where the receiver takes heartbeats.
    pub(crate) fn start(
        route: Arc<dyn Route>,
        messages: Arc<Messages>,
        hearing: Arc<Hearing>,
    ) -> Option<Self> {
        hearing.interval()?;
        let ending = Arc::new(Ending::default());
        let beats = Beats { messages, hearing, ending: Arc::clone(&ending) };
        let run = move || beats.run(route.as_ref());
        // A process that cannot have another thread runs its task all the same: its silence is
        // judged by the receiver.
        let thread = thread::Builder::new().name("wove-heartbeats".into()).spawn(run).ok();
        Some(Self { ending, thread })
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.ending.end();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Ending {
    fn end(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = true;
        if let Some(breaker) = &state.1 {
            breaker();
        }
        self.changed.notify_all();
    }

    fn has_come(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits; true if the end has come.
    fn wait_until(&self, due: Instant) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = due.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout_while(state, wait, |state| !state.0);
        waited.unwrap_or_else(PoisonError::into_inner).0.0
    }
}

struct Beats {
    messages: Arc<Messages>,
    hearing: Arc<Hearing>,
    ending: Arc<Ending>,
}

impl Beats {
    fn run(&self, route: &dyn Route) {
        let hearing = Arc::clone(&self.hearing);
        let mut line = route.line(Arc::new(move || hearing.cancelled()));
        self.ending.state.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(line.breaker());
        let mut due = Instant::now();
        if !line.pushes() {
            due += self.interval();
        } // else the first beat, at once, opens the way for what is pushed
        let mut failures = 0;
        let mut fresh = false;
        while !self.ending.wait_until(due) {
            let now = Instant::now();
            // After a long wait, such as a machine's sleep, beats are not made up for.
            due = due.max(now);
            match self.beat(line.as_mut(), now, &mut fresh) {
                _ if self.ending.has_come() => return,
                true => {
                    failures = 0;
                    due += self.interval();
                }
                false => {
                    failures += 1;
                    due = Instant::now() + self.interval().min(backoff(failures) + FIRST_PAUSE);
                }
            }
        }
    }

    /// Whether there was a final answer.
    fn beat(&self, line: &mut dyn Line, now: Instant, fresh: &mut bool) -> bool {
        let patience = self.interval().clamp(Duration::from_secs(1), BEAT_TIMEOUT);
        let answer = line.post(&self.messages.heartbeat(), *fresh, now + patience);
        *fresh = answer.verdict == Verdict::Elsewhere;
        let is_final = answer.is_final();
        if is_final && !self.ending.has_come() {
            self.hearing.heard(&answer);
        }
        is_final
    }

    fn interval(&self) -> Duration {
        self.hearing.interval().unwrap_or(BEAT_TIMEOUT)
    }
}
