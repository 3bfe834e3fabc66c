//! Reading payloads and acknowledgements.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use wove_proto::v1::{EventAck, TaskPayload};

use super::ContractError;
use super::json::parse;
use super::scalars::padded;
use super::schema::{EVENT_ACK, Kind, TASK_PAYLOAD, message};

/// The newest version of a payload that this library reads.
pub(crate) const VERSION: u32 = 1;

/// What is read of a payload of a newer version.
const NEWER: &[&str] = &["version", "callback_url", "run_id", "task_id"];

const MAX_RUN_ID: usize = 255;

/// Reads a payload from its JSON, or from base64 of that.
///
/// Of a payload of a newer version only what says where to report is read: it is the caller's to
/// refuse it, and to report that there.
pub(crate) fn read_payload(data: &[u8]) -> Result<TaskPayload, ContractError> {
    let data = unwrapped(data)?;
    let parsed = parse(&data)?;
    let version = typed::<TaskPayload>(message(&only(&["version"]), &parsed)?)?.version;
    let newer = version > VERSION;
    let read = if newer { message(&only(NEWER), &parsed) } else { message(TASK_PAYLOAD, &parsed) };
    let payload: TaskPayload = typed(read?)?;
    if newer {
        return Ok(payload);
    }
    let missing = |field, problem| Err(ContractError::new("missing_field", field, problem));
    if payload.version == 0 {
        return missing("version", "expected the payload's version");
    }
    if payload.run_id.is_empty() {
        return missing("run_id", "expected the run's name");
    }
    if payload.run_id.chars().count() > MAX_RUN_ID {
        let problem = "expected at most 255 characters";
        return Err(ContractError::new("invalid_id", "run_id", problem));
    }
    if payload.callback_url.is_empty() {
        return missing("callback_url", "expected a URL");
    }
    Ok(payload)
}

/// Reads the JSON of an acknowledgement.
pub(crate) fn read_ack(data: &[u8]) -> Result<EventAck, ContractError> {
    let ack: EventAck = typed(message(EVENT_ACK, &parse(data)?)?)?;
    if ack.heartbeat_seconds.is_some_and(|seconds| seconds <= 0.0) {
        let problem = "expected seconds above 0";
        return Err(ContractError::new("out_of_range", "heartbeat_seconds", problem));
    }
    Ok(ack)
}

/// The JSON, which may have come as base64. Schedulers break long lines.
fn unwrapped(data: &[u8]) -> Result<Cow<'_, [u8]>, ContractError> {
    let trimmed = data.trim_ascii();
    if trimmed.is_empty() || matches!(trimmed[0], b'{' | b'[' | b'"') {
        return Ok(Cow::Borrowed(data));
    }
    let digits: Vec<u8> =
        trimmed.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    padded(&digits).map(Cow::Owned).ok_or_else(|| {
        ContractError::new("invalid_json", "", "expected a JSON object, or base64 of one")
    })
}

/// The payload's table of those fields only.
fn only(names: &[&str]) -> Vec<(&'static str, Kind)> {
    TASK_PAYLOAD.iter().filter(|(known, _)| names.contains(known)).copied().collect()
}

fn typed<M: DeserializeOwned>(json: serde_json::Value) -> Result<M, ContractError> {
    // The tables say what the generated readers take: the vectors would show a difference.
    serde_json::from_value(json)
        .map_err(|_| ContractError::new("wrong_type", "", "it has a field of another type"))
}
