//! Terminal events that fit the receiver.

use std::sync::Arc;

use wove_proto::v1::ErrorInfo;

use crate::delivery::{Answer, Body};
use crate::failures::wove_error;
use crate::messages::Messages;
use crate::summary::Outcome;
use crate::text::ascii;
use crate::worker::worker_id;

/// A terminal event, and what the summary says of it.
pub(crate) struct Ending {
    pub outcome: Outcome,
    pub body: Body,
    pub kind: String,
    pub message: String,
}

pub(crate) struct Endings {
    pub messages: Arc<Messages>,
    pub task: String,
    pub max_bytes: usize,
}

impl Endings {
    pub(crate) fn returned(&self, text: String) -> Ending {
        let body = self.messages.result(text);
        match self.excess(&body) {
            Some(problem) => self.too_large(&problem),
            None => Ending {
                outcome: Outcome::Succeeded,
                body,
                kind: String::new(),
                message: String::new(),
            },
        }
    }

    pub(crate) fn failed(&self, info: ErrorInfo) -> Ending {
        let (source, code) = (info.source.clone(), info.code.clone());
        let (kind, message) = (info.kind.clone(), info.message.clone());
        let body = self.messages.failed(info);
        if self.excess(&body).is_some() {
            return self.minimal(&source, &code, &kind, &message);
        }
        Ending { outcome: Outcome::Failed, body, kind, message }
    }

    pub(crate) fn stopped(&self, reason: &str, forced: bool) -> Ending {
        Ending {
            outcome: Outcome::Cancelled,
            body: self.messages.cancelled(reason, forced),
            kind: String::new(),
            message: reason.to_owned(),
        }
    }

    /// What is sent once when the receiver has refused an ending.
    pub(crate) fn in_place_of(&self, refused: &Ending, answer: &Answer) -> Ending {
        if answer.status == 413 {
            return self.too_large(&format!("the receiver answered {}", answer.text));
        }
        let was = match refused.kind.as_str() {
            "" => "a result".to_owned(),
            kind => format!("{kind}: {}", refused.message),
        };
        let (task, text) = (&self.task, &answer.text);
        let message =
            format!("the receiver refused the event of task {task:?}: {text}; it was {was}");
        self.minimal("wove", "event_refused", "EventRefused", &message)
    }

    pub(crate) fn not_loadable(&self, problem: &str) -> Ending {
        let message = format!(
            "the worker {} could not load the arguments of task {:?}: {problem}",
            worker_id(),
            self.task
        );
        self.failed(wove_error("payload_not_loadable", "PayloadNotLoadable", message))
    }

    pub(crate) fn unknown_task(&self, known: &str) -> Ending {
        let message = format!(
            "this worker ({}) has no function for task {:?}; there are: {}",
            worker_id(),
            self.task,
            if known.is_empty() { "none" } else { known }
        );
        self.failed(wove_error("unknown_task", "UnknownTask", message))
    }

    fn too_large(&self, problem: &str) -> Ending {
        let message = format!(
            "the result of task {:?} is too large to send: {problem}. Return less, or store it \
             and return where it is.",
            self.task
        );
        self.minimal("wove", "result_too_large", "ResultTooLarge", &message)
    }

    /// A `task_error` that no receiver has a reason to refuse.
    fn minimal(&self, source: &str, code: &str, kind: &str, message: &str) -> Ending {
        let (kind, message) = (ascii(kind), ascii(message));
        let info = ErrorInfo {
            kind: kind.clone(),
            message: message.clone(),
            source: source.to_owned(),
            code: code.to_owned(),
            ..ErrorInfo::default()
        };
        Ending { outcome: Outcome::Failed, body: self.messages.failed(info), kind, message }
    }

    fn excess(&self, body: &Body) -> Option<String> {
        let (size, limit) = (body.data.len(), self.max_bytes);
        (size > limit).then(|| format!("its event has {size} bytes, the receiver takes {limit}"))
    }
}
