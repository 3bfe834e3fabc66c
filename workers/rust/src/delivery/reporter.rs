//! The tries of an event.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Answer, Body, Route, Verdict};

const FIRST_BACKOFF: Duration = Duration::from_millis(100);
/// A try without an answer is given up after this, and what its event takes to be sent.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes a second on the slowest link that is waited for.
const SLOWEST: usize = 64 << 10;
const TOO_LARGE: u16 = 413;
/// How often in a row 413 comes from a proxy before it is believed.
const PROXY_REFUSALS: u32 = 3;
const MAX_BACKOFF: Duration = Duration::from_secs(10);
/// The longest wait of whoever is hurried.
const HURRIED_WAIT: Duration = Duration::from_secs(1);
/// What a try is given even when its deadline is upon it.
const SHORTEST_TRY: Duration = Duration::from_millis(100);

/// The deadline passed without a final answer.
#[derive(Debug)]
pub(crate) struct Undelivered {
    pub tries: u32,
    pub within: Duration,
    /// What the last try met, in words.
    pub last: String,
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.within.as_secs_f64();
        write!(f, "{} tries in {seconds:.0} s, the last: {}", self.tries, self.last)
    }
}

/// Delivers the events of one execution over its route.
pub(crate) struct Reporter {
    route: Arc<dyn Route>,
    /// When everything that is not delivered is given up, where somebody is in a hurry.
    latest: Mutex<Option<Instant>>,
    hurried: Condvar,
}

impl Reporter {
    pub(crate) fn new(route: Arc<dyn Route>) -> Self {
        Self { route, latest: Mutex::new(None), hurried: Condvar::new() }
    }

    /// Sends an event, the same on every try, until there is a final answer or its time is over.
    pub(crate) fn deliver(&self, body: &Body, within: Duration) -> Result<Answer, Undelivered> {
        let begin = Instant::now();
        let answer = self.attempt(body, false, begin + within);
        self.go_on(body, begin, within, answer)
    }

    /// As `deliver`, for an event whose place a smaller one can take: after some times 413 in a
    /// row from a proxy the answer is `Invalid`.
    pub(crate) fn deliver_replaceable(
        &self,
        body: &Body,
        within: Duration,
    ) -> Result<Answer, Undelivered> {
        let begin = Instant::now();
        let answer = self.attempt(body, false, begin + within);
        self.try_on(body, begin, within, answer, true)
    }

    /// Goes on after a first try, which was made at `begin`.
    pub(crate) fn go_on(
        &self,
        body: &Body,
        begin: Instant,
        within: Duration,
        answer: Answer,
    ) -> Result<Answer, Undelivered> {
        self.try_on(body, begin, within, answer, false)
    }

    fn try_on(
        &self,
        body: &Body,
        begin: Instant,
        within: Duration,
        mut answer: Answer,
        replaceable: bool,
    ) -> Result<Answer, Undelivered> {
        let mut too_large = 0;
        for tries in 1.. {
            if answer.is_final() {
                break;
            }
            too_large = if answer.status == TOO_LARGE { too_large + 1 } else { 0 };
            if replaceable && too_large == PROXY_REFUSALS {
                answer.verdict = Verdict::Invalid;
                break;
            }
            let left = self.deadline(begin + within).saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Undelivered { tries, within: begin.elapsed(), last: answer.text });
            }
            self.pause((backoff(tries) + answer.retry_after).min(left));
            answer = self.attempt(body, answer.verdict == Verdict::Elsewhere, begin + within);
        }
        Ok(answer)
    }

    fn attempt(&self, body: &Body, fresh: bool, latest: Instant) -> Answer {
        let now = Instant::now();
        let sending = Duration::from_secs((body.data.len() / SLOWEST) as u64);
        let latest = latest.min(now + ANSWER_TIMEOUT + sending);
        let deadline = self.deadline(latest).max(now + SHORTEST_TRY);
        self.route.post(body, fresh, deadline)
    }

    /// Gives up everything that is not delivered in so long from now.
    pub(crate) fn hurry(&self, within: Duration) {
        let mut latest = self.lock();
        let asked = Instant::now() + within;
        *latest = Some(latest.map_or(asked, |earlier| earlier.min(asked)));
        self.hurried.notify_all();
    }

    fn deadline(&self, deadline: Instant) -> Instant {
        self.lock().map_or(deadline, |latest| latest.min(deadline))
    }

    /// Waits. Whoever is hurried wakes up, and from then on waits only a little.
    fn pause(&self, wait: Duration) {
        let latest = self.lock();
        if latest.is_some() {
            drop(latest);
            std::thread::sleep(wait.min(HURRIED_WAIT));
            return;
        }
        let _woken = self
            .hurried
            .wait_timeout_while(latest, wait, |latest| latest.is_none())
            .unwrap_or_else(PoisonError::into_inner);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long to wait after so many tries: full jitter below an exponential limit.
pub(crate) fn backoff(tries: u32) -> Duration {
    let limit = FIRST_BACKOFF.saturating_mul(1 << tries.saturating_sub(1).min(16));
    let share = f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX);
    limit.min(MAX_BACKOFF).mul_f64(share)
}
