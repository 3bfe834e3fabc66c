//! Makes and encodes the events of one execution.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use wove_proto::v1::{
    ErrorInfo, Event, Heartbeat, TaskCancelled, TaskError, TaskPayload, TaskResult, TaskStarted,
    event::Frame, task_result,
};

use crate::contract::{binary, flat_json};
use crate::delivery::Body;
use crate::options::Job;
use crate::text::cut;
use crate::worker::worker_id;

const MAX_NAME_BYTES: usize = 1000;

pub(crate) struct Messages {
    payload: Arc<TaskPayload>,
    job: Job,
    binary: bool,
    execution_id: String,
    sequence: AtomicU32,
}

impl Messages {
    /// With `binary` bodies of HTTP requests are protobuf.
    pub(crate) fn new(payload: Arc<TaskPayload>, job: Job, binary: bool) -> Self {
        let execution_id = random_name();
        Self { payload, job, binary, execution_id, sequence: AtomicU32::new(0) }
    }

    pub(crate) fn started(&self, heartbeat: Option<Duration>) -> Body {
        let name = |text: &Option<String>| cut(text.clone().unwrap_or_default(), MAX_NAME_BYTES);
        self.body(Frame::TaskStarted(TaskStarted {
            worker_id: worker_id().to_owned(),
            heartbeat_seconds: heartbeat.map(|interval| interval.as_secs_f64()),
            backend_job_id: name(&self.job.id),
            backend_worker: name(&self.job.worker),
        }))
    }

    pub(crate) fn heartbeat(&self) -> Body {
        self.once(Frame::Heartbeat(Heartbeat {}))
    }

    pub(crate) fn result(&self, text: String) -> Body {
        let value = Some(task_result::Value::ResultJson(text));
        self.body(Frame::TaskResult(TaskResult { value }))
    }

    pub(crate) fn failed(&self, info: ErrorInfo) -> Body {
        self.body(Frame::TaskError(TaskError { error: Some(info), ..TaskError::default() }))
    }

    pub(crate) fn cancelled(&self, reason: &str, forced: bool) -> Body {
        let reason = cut(reason.to_owned(), MAX_NAME_BYTES);
        self.body(Frame::TaskCancelled(TaskCancelled { reason, forced }))
    }

    /// An event that is never sent a second time.
    pub(crate) fn once(&self, frame: Frame) -> Body {
        Body { once: true, ..self.body(frame) }
    }

    fn body(&self, frame: Frame) -> Body {
        let mut event = self.event(frame);
        let (data, content_type) = if self.binary {
            (binary(&event), "application/x-protobuf")
        } else {
            // Messages of texts and finite numbers: there is nothing that JSON cannot write.
            let data = flat_json(&mut event).expect("an event can be written as JSON");
            (data, "application/json")
        };
        Body {
            #[cfg(feature = "grpc")]
            event,
            data,
            content_type,
            once: false,
        }
    }

    fn event(&self, frame: Frame) -> Event {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Event {
            run_id: self.payload.run_id.clone(),
            task_id: self.payload.task_id.clone(),
            event_id: format!("{}-{sequence}", self.execution_id),
            emitted_at: now.ok().map(|since| since.as_micros() as f64 / 1e6),
            attempt: self.payload.attempt,
            execution_id: self.execution_id.clone(),
            backend_attempt: self.job.delivery,
            sequence,
            frame: Some(frame),
        }
    }
}

fn random_name() -> String {
    let mut drawn = [0; 16];
    getrandom::fill(&mut drawn).expect("the system draws random numbers");
    drawn.iter().map(|byte| format!("{byte:02x}")).collect()
}
