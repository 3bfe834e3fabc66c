//! The one place where it is decided whether a function was stopped, has returned, or is left
//! behind.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::endings::Ending;

#[derive(Default)]
pub(crate) struct Stop {
    state: Mutex<State>,
    changed: Condvar,
    /// A copy of "there is a reason", for functions that ask often.
    asked: AtomicBool,
}

#[derive(Default)]
struct State {
    reason: Option<String>,
    shutting_down: bool,
    returned: bool,
    abandoned: bool,
    ending: Option<Box<Ending>>,
}

/// How waiting for a function ended.
pub(crate) enum Waited {
    Ended(Box<Ending>),
    /// It did not stop, and was left behind.
    Abandoned {
        reason: String,
    },
}

impl Stop {
    /// Asks the function to stop. Ignored once it has returned, and the second time.
    pub(crate) fn ask(&self, reason: &str) {
        let mut state = self.lock();
        if !state.returned && !state.abandoned && state.reason.is_none() {
            state.reason = Some(reason.to_owned());
            self.asked.store(true, Ordering::Release);
            self.changed.notify_all();
        }
    }

    /// Asks, and lets the function be left behind from now on.
    pub(crate) fn shut_down(&self, reason: &str) {
        self.ask(reason);
        self.lock().shutting_down = true;
        self.changed.notify_all();
    }

    pub(crate) fn asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }

    /// The reason for stopping, if that was asked for.
    pub(crate) fn reason(&self) -> Option<String> {
        self.lock().reason.clone()
    }

    /// Waits so long, or until stopping is asked for: true then.
    pub(crate) fn wait_asked(&self, wait: Duration) -> bool {
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), wait, |state| state.reason.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        state.reason.is_some()
    }

    /// Says that the function has returned. What is asked from now on is ignored.
    pub(crate) fn returned(&self) {
        self.lock().returned = true;
        self.changed.notify_all();
    }

    pub(crate) fn end(&self, ending: Ending) {
        self.lock().ending = Some(Box::new(ending));
        self.changed.notify_all();
    }

    /// Waits for the function. One that was asked to stop is left behind after so long, where
    /// that may be: with `leave` always, else when the worker is shutting down.
    pub(crate) fn wait(&self, leave: bool, patience: Duration) -> Waited {
        let mut state = self.lock();
        let mut latest = None;
        loop {
            if let Some(ending) = state.ending.take() {
                return Waited::Ended(ending);
            }
            let may_leave = state.reason.is_some() && (leave || state.shutting_down);
            if !may_leave || state.returned {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let latest = *latest.get_or_insert_with(|| Instant::now() + patience);
            let left = latest.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.abandoned = true;
                return Waited::Abandoned { reason: state.reason.clone().unwrap_or_default() };
            }
            (state, _) =
                self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
