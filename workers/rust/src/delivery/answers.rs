//! What an answer means.

use std::time::{Duration, SystemTime};

use wove_proto::v1::EventAck;

/// What to do after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Done.
    Accepted,
    /// Try again later. Having no answer is this too.
    Retry,
    /// Try again on a new connection: another receiver has answered.
    Elsewhere,
    /// The receiver does not take this event (400, 413, 415).
    Invalid,
    /// Another terminal event, or another execution, was first (409).
    Conflict,
    /// Nobody waits for the run (410).
    Gone,
    /// Another final answer (401, 404, and what no receiver should send).
    Refused,
}

/// An answer, judged.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub verdict: Verdict,
    /// HTTP's code, or the one that stands for gRPC's; 0 without an answer.
    pub status: u16,
    /// The answer in words.
    pub text: String,
    /// The acknowledgement, where there was one that can be read.
    pub ack: Option<Box<EventAck>>,
    /// How long the receiver asks to wait.
    pub retry_after: Duration,
}

impl Answer {
    /// The answer of a try that got none.
    pub(crate) fn none(text: impl Into<String>) -> Self {
        let retry_after = Duration::ZERO;
        Self { verdict: Verdict::Retry, status: 0, text: text.into(), ack: None, retry_after }
    }

    /// Whether the event needs no other try.
    pub(crate) fn is_final(&self) -> bool {
        !matches!(self.verdict, Verdict::Retry | Verdict::Elsewhere)
    }

    /// Of the answer to a terminal event: whether the receiver has what it needs of this execution,
    /// the event or another ending of the run.
    pub(crate) fn is_delivered(&self) -> bool {
        matches!(self.verdict, Verdict::Accepted | Verdict::Conflict | Verdict::Gone)
    }

    /// Whether nothing that this execution sends will be taken any more.
    pub(crate) fn refuses_all(&self) -> bool {
        self.is_final() && matches!(self.status, 401 | 404 | 409 | 410)
    }

    /// Whether the receiver asks to stop the task.
    pub(crate) fn cancels(&self) -> bool {
        self.ack.as_ref().is_some_and(|ack| ack.cancel.is_some())
    }
}

/// What came back, before it is judged.
pub(crate) struct Response {
    pub status: u16,
    pub text: String,
    /// The id that the answer carries.
    pub answered_by: Option<String>,
    pub retry_after: Duration,
    pub ack: Option<EventAck>,
}

/// Applies the table of ack.proto. `receiver_id` is the payload's; to receivers that have none
/// the plain table applies.
pub(crate) fn judge(response: Response, receiver_id: Option<&str>) -> Answer {
    let mut answer = Answer {
        verdict: verdict(response.status),
        status: response.status,
        text: response.text,
        ack: response.ack.map(Box::new),
        retry_after: response.retry_after,
    };
    if let Some(expected) = receiver_id {
        match response.answered_by {
            None => {
                // A balancer's or a proxy's own answer, whatever its status.
                answer.verdict = Verdict::Retry;
                answer.text.push_str(", not from a Wove receiver");
            }
            Some(id) if id != expected && matches!(response.status, 404 | 410) => {
                answer.verdict = Verdict::Elsewhere;
                answer.text.push_str(" from another receiver");
            }
            Some(_) => {}
        }
    }
    if answer.verdict != Verdict::Accepted {
        answer.ack = None;
    }
    answer
}

fn verdict(status: u16) -> Verdict {
    match status {
        200..=299 => Verdict::Accepted,
        400 | 413 | 415 => Verdict::Invalid,
        408 | 429 => Verdict::Retry,
        409 => Verdict::Conflict,
        410 => Verdict::Gone,
        421 => Verdict::Elsewhere,
        401..=499 => Verdict::Refused,
        _ => Verdict::Retry,
    }
}

/// The duration of so many seconds; none for those that are not finite or not above 0.
pub(crate) fn seconds(of: f64) -> Duration {
    // Whatever is longer than a year is for ever.
    const LONGEST: f64 = 366.0 * 24.0 * 3600.0;
    if of > 0.0 && of.is_finite() {
        Duration::from_secs_f64(of.min(LONGEST))
    } else {
        Duration::ZERO
    }
}

/// Reads the header of that name, in both of its forms.
pub(crate) fn retry_after(text: &str) -> Duration {
    if let Ok(number) = text.trim().parse() {
        return seconds(number);
    }
    let date = httpdate::parse_http_date(text.trim()).ok();
    date.and_then(|date| date.duration_since(SystemTime::now()).ok()).unwrap_or_default()
}
