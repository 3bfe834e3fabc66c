//! The fields of the messages that a worker reads, and how JSON becomes protojson that every
//! reader takes alike: no null, no unknown name, one spelling of every value.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};

use super::ContractError;
use super::json::Value;
use super::scalars::{bytes, double, integer, text, wrong_type};

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Texts,
    Bytes,
    Double,
    Int32,
    Uint32,
    Bool,
    Message(Fields),
}

pub(super) type Fields = &'static [(&'static str, Kind)];

pub(super) const TASK_PAYLOAD: Fields = &[
    ("version", Kind::Uint32),
    ("adapter", Kind::Text),
    ("callback_url", Kind::Text),
    ("run_id", Kind::Text),
    ("task_id", Kind::Text),
    ("task_name", Kind::Text),
    ("callable_pickle", Kind::Bytes),
    ("args_pickle", Kind::Bytes),
    ("delivery", Kind::Message(DELIVERY)),
    ("args_json", Kind::Text),
    ("callback_grpc", Kind::Text),
    ("receiver_id", Kind::Text),
    ("attempt", Kind::Uint32),
    ("start_gate", Kind::Text),
    ("accepts", Kind::Texts),
    ("max_event_bytes", Kind::Uint32),
    ("delivery_retry_seconds", Kind::Double),
    ("origin", Kind::Message(ORIGIN)),
    ("traceparent", Kind::Text),
    ("issued_at", Kind::Double),
];

const DELIVERY: Fields = &[
    ("delivery_timeout", Kind::Double),
    ("delivery_idempotency_key", Kind::Text),
    ("delivery_cancel_mode", Kind::Text),
    ("delivery_heartbeat_seconds", Kind::Double),
    ("delivery_orphan_policy", Kind::Text),
];

const ORIGIN: Fields = &[("python", Kind::Text), ("wove", Kind::Text), ("cloudpickle", Kind::Text)];

pub(super) const EVENT_ACK: Fields = &[
    ("event_id", Kind::Text),
    ("duplicate", Kind::Bool),
    ("code", Kind::Int32),
    ("message", Kind::Text),
    ("cancel", Kind::Message(CANCEL_TASK)),
    ("retry_after_seconds", Kind::Double),
    ("heartbeat_seconds", Kind::Double),
    ("receiver_id", Kind::Text),
];

const CANCEL_TASK: Fields = &[
    ("run_id", Kind::Text),
    ("task_id", Kind::Text),
    ("delivery_cancel_mode", Kind::Text),
    ("delivery_orphan_policy", Kind::Text),
];

/// The known fields of an object.
pub(super) fn message(
    fields: &[(&'static str, Kind)],
    from: &Value<'_>,
) -> Result<Json, ContractError> {
    let Value::Object(members) = from else {
        return Err(wrong_type("an object", from));
    };
    let mut found = Map::new();
    for (name, value) in members {
        let Some((name, kind)) = fields.iter().find(|(known, _)| known == name) else {
            continue;
        };
        if !matches!(value, Value::Null) {
            let read = field(*kind, value).map_err(|error| error.inside(name))?;
            found.insert((*name).to_owned(), read);
        }
    }
    Ok(Json::Object(found))
}

fn field(kind: Kind, from: &Value<'_>) -> Result<Json, ContractError> {
    Ok(match kind {
        Kind::Text => text(from)?.into(),
        Kind::Bytes => STANDARD.encode(bytes(from)?).into(),
        Kind::Double => double(from)?.into(),
        Kind::Int32 => integer(from, i32::MIN.into(), i32::MAX.into())?.into(),
        Kind::Uint32 => integer(from, 0, u32::MAX.into())?.into(),
        Kind::Bool => match from {
            Value::Bool(value) => (*value).into(),
            _ => return Err(wrong_type("true or false", from)),
        },
        Kind::Message(fields) => message(fields, from)?,
        Kind::Texts => {
            let Value::List(items) = from else {
                return Err(wrong_type("a list", from));
            };
            let read = |(index, item)| text(item).map_err(|e| e.inside(&format!("[{index}]")));
            items.iter().enumerate().map(read).collect::<Result<Vec<String>, _>>()?.into()
        }
    })
}
