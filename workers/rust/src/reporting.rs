//! The start and the end of an execution, as its receiver hears of them.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::delivery::{Answer, Body, Reporter, Undelivered, Verdict};
use crate::endings::Ending;
use crate::errors;
use crate::execution::Execution;
use crate::limits::terminal_deadline;
use crate::summary::{Outcome, SummaryError};
use crate::{RunError, Summary, USER_AGENT};

/// Gives up, at the end of its execution, a `task_started` that is still being tried.
pub(crate) struct Started(Option<Arc<Reporter>>);

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(reporter) = &self.0 {
            reporter.hurry(Duration::ZERO);
        }
    }
}

type Ended = Box<Result<Summary, RunError>>;

impl Execution<'_> {
    /// Announces the execution and, where there is a gate, waits for leave. The error is what the
    /// run came to if the function must not be called.
    pub(crate) fn start(&self) -> Result<Started, Ended> {
        let body = self.messages.started(self.hearing.interval());
        let (answer, started) = if self.payload.start_gate.as_deref() == Some("none") {
            self.start_ungated(body)
        } else {
            match self.running.reporter.deliver(&body, self.limits.start) {
                Ok(answer) => (answer, Started(None)),
                Err(_) if self.detached => return Ok(Started(None)),
                Err(problem) => {
                    let error = self.undelivered("the start", Outcome::NotStarted, &problem);
                    return Err(Box::new(Err(RunError::Undelivered(Box::new(error)))));
                }
            }
        };
        match answer.verdict {
            Verdict::Retry | Verdict::Elsewhere => {} // to be found out while the function runs
            Verdict::Accepted => self.hearing.heard_of_start(&answer),
            Verdict::Gone if self.detached => {}
            _ => {
                let message = format!("the receiver answered {} to task_started", answer.text);
                let error = SummaryError::new("StartRefused", &message);
                return Err(Box::new(Ok(self.summary(Outcome::NotStarted, true, error))));
            }
        }
        Ok(started)
    }

    /// Gives the first try a moment, which keeps the events in order, and leaves the others to a
    /// thread.
    fn start_ungated(&self, body: Body) -> (Answer, Started) {
        let begin = Instant::now();
        let answer = self.route.post(&body, false, begin + self.limits.ungated);
        if answer.is_final() {
            return (answer, Started(None));
        }
        // A reporter of its own: what hurries the end is not about the start.
        let reporter = Arc::new(Reporter::new(Arc::clone(&self.route)));
        let (later, hearing) = (Arc::clone(&reporter), Arc::clone(&self.hearing));
        let (within, first) = (self.limits.start, answer.clone());
        let deliver = move || {
            if let Ok(answer) = later.go_on(&body, begin, within, first) {
                hearing.heard_of_start(&answer);
            }
        };
        // Without a thread the terminal event has to say it all.
        let _ = thread::Builder::new().name("wove-start".into()).spawn(deliver);
        (answer, Started(Some(reporter)))
    }

    /// Delivers the terminal event.
    pub(crate) fn report(&self, mut ending: Ending) -> Result<Summary, RunError> {
        let within = terminal_deadline(&self.payload, self.began.elapsed());
        let reporter = &self.running.reporter;
        let mut delivered = reporter.deliver_replaceable(&ending.body, within);
        if let Ok(answer) = &delivered
            && answer.verdict == Verdict::Invalid
        {
            ending = self.endings.in_place_of(&ending, answer);
            delivered = reporter.deliver(&ending.body, within);
        }
        match delivered {
            Ok(answer) => {
                let error = SummaryError::new(&ending.kind, &ending.message);
                let summary = self.summary(ending.outcome, answer.is_delivered(), error);
                if summary.delivered {
                    return Ok(summary);
                }
                Err(RunError::Undelivered(Box::new(errors::Undelivered {
                    part: "the end",
                    task: self.task.clone(),
                    reason: format!("the receiver answered {}", answer.text),
                    refused: true,
                    summary,
                })))
            }
            Err(problem) => {
                let error = self.undelivered("the end", ending.outcome, &problem);
                // The weave of a detached run may be gone for good, and that is no failure.
                if self.detached {
                    Ok(error.summary)
                } else {
                    Err(RunError::Undelivered(Box::new(error)))
                }
            }
        }
    }

    fn undelivered(
        &self,
        part: &'static str,
        outcome: Outcome,
        problem: &Undelivered,
    ) -> errors::Undelivered {
        let mut found = errors::Undelivered {
            part,
            task: self.task.clone(),
            reason: problem.to_string(),
            refused: false,
            summary: self.summary(outcome, false, None),
        };
        found.summary.error = SummaryError::new("CallbackUnreachable", &found.to_string());
        found
    }

    fn summary(&self, outcome: Outcome, delivered: bool, error: Option<SummaryError>) -> Summary {
        Summary {
            wove_version: USER_AGENT.to_owned(),
            run_id: self.payload.run_id.clone(),
            outcome,
            delivered,
            error,
            callback_url: self.endpoint.redacted.clone(),
        }
    }
}
