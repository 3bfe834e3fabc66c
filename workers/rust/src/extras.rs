//! Progress and logs: sent in order, once each, beside the task.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use wove_proto::v1::{TaskPayload, event::Frame};

use crate::delivery::{Body, Route, Verdict, backoff};
use crate::hearing::Hearing;
use crate::limits::{accepts, max_bytes};
use crate::messages::Messages;

const MAX_QUEUED: usize = 256;
/// How long one such event may take.
const POST_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a task waits for a place in the queue.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the end waits for those that are queued.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// What cannot be sent is forgotten, and so is everything for a moment after there was no
/// answer: a receiver that is away does not slow the task down.
pub(crate) struct Extras {
    payload: Arc<TaskPayload>,
    messages: Arc<Messages>,
    route: Arc<dyn Route>,
    hearing: Arc<Hearing>,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    bodies: VecDeque<Body>,
    /// There is a thread that sends.
    started: bool,
    /// It is sending one.
    busy: bool,
    /// Nothing more is taken.
    closed: bool,
}

impl Extras {
    pub(crate) fn new(
        payload: Arc<TaskPayload>,
        messages: Arc<Messages>,
        route: Arc<dyn Route>,
        hearing: Arc<Hearing>,
    ) -> Self {
        let (queue, changed) = (Mutex::default(), Condvar::new());
        Self { payload, messages, route, hearing, queue, changed }
    }

    /// Queues an event, if the receiver takes that.
    pub(crate) fn send(self: &Arc<Self>, name: &str, frame: impl FnOnce() -> Frame) {
        if !accepts(&self.payload, name) {
            return;
        }
        let full = |queue: &mut Queue| queue.bodies.len() >= MAX_QUEUED && !queue.closed;
        let waited = self.changed.wait_timeout_while(self.lock(), QUEUE_TIMEOUT, full);
        let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if queue.closed || queue.bodies.len() >= MAX_QUEUED {
            return;
        }
        if !queue.started {
            let extras = Arc::clone(self);
            let thread = thread::Builder::new().name("wove-reports".into());
            queue.started = thread.spawn(move || extras.run()).is_ok();
        }
        // Made under the lock, which keeps the queue in the order of the events' numbers.
        let body = self.messages.once(frame());
        if queue.started && body.data.len() <= max_bytes(&self.payload) {
            queue.bodies.push_back(body);
            self.changed.notify_all();
        }
    }

    /// Sends what is queued, within reason, and takes no more.
    pub(crate) fn close(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        self.changed.notify_all();
        let busy = |queue: &mut Queue| queue.busy || !queue.bodies.is_empty();
        let waited = self.changed.wait_timeout_while(queue, DRAIN_TIMEOUT, busy);
        let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        queue.bodies.clear();
    }

    fn run(&self) {
        let mut silent_until = Instant::now();
        let mut failures = 0;
        let mut fresh = false;
        while let Some(body) = self.next() {
            if Instant::now() < silent_until {
                continue;
            }
            let answer = self.route.post(&body, fresh, Instant::now() + POST_TIMEOUT);
            fresh = answer.verdict == Verdict::Elsewhere;
            if answer.is_final() {
                failures = 0;
                self.hearing.heard(&answer);
            } else if answer.status == 0 {
                failures += 1;
                silent_until = Instant::now() + backoff(failures);
            } else {
                silent_until = Instant::now() + answer.retry_after;
            }
        }
    }

    /// The next one; none when all are sent and no more will come.
    fn next(&self) -> Option<Body> {
        let mut queue = self.lock();
        queue.busy = false;
        self.changed.notify_all();
        let idle = |queue: &mut Queue| queue.bodies.is_empty() && !queue.closed;
        let waited = self.changed.wait_while(queue, idle);
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner);
        let body = queue.bodies.pop_front();
        queue.busy = body.is_some();
        self.changed.notify_all();
        body
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
