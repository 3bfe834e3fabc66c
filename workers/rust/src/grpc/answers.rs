//! What gRPC's answers mean, in HTTP's words.

use tonic::metadata::MetadataMap;
use tonic::{Code, Response, Status};
use wove_proto::v1::{EventAck, PublishEventResponse};

use crate::delivery::{self, Answer, judge, retry_after, seconds};

/// HTTP's word for a code, by the table of event_service.proto.
fn http_status(code: Code) -> u16 {
    match code {
        Code::Ok => 200,
        Code::InvalidArgument => 400,
        Code::Unauthenticated => 404,
        Code::FailedPrecondition => 409,
        Code::NotFound => 410,
        Code::ResourceExhausted => 413,
        Code::Aborted => 421,
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => 503,
        Code::Unknown | Code::Internal => 500,
        _ => 403,
    }
}

pub(super) fn receiver_of(metadata: &MetadataMap) -> Option<String> {
    metadata.get("wove-receiver")?.to_str().ok().map(str::to_owned)
}

/// Judges a call that failed.
pub(super) fn judge_status(status: &Status, receiver_id: Option<&str>) -> Answer {
    let asked = status.metadata().get("retry-after").and_then(|value| value.to_str().ok());
    let response = delivery::Response {
        status: http_status(status.code()),
        text: format!("{:?}", status.code()),
        answered_by: receiver_of(status.metadata()),
        retry_after: asked.map(retry_after).unwrap_or_default(),
        ack: None,
    };
    judge(response, receiver_id)
}

/// Judges the answer of a call of PublishEvent.
pub(super) fn judge_ack_of_call(
    response: Response<PublishEventResponse>,
    receiver_id: Option<&str>,
) -> Answer {
    let response = delivery::Response {
        status: 200,
        text: "Ok".to_owned(),
        answered_by: receiver_of(response.metadata()),
        retry_after: seconds(0.0),
        ack: response.into_inner().ack,
    };
    judge(response, receiver_id)
}

/// Judges the answer to one event of a stream, whose metadata names a receiver, too.
pub(super) fn judge_ack(
    ack: EventAck,
    receiver: Option<&String>,
    receiver_id: Option<&str>,
) -> Answer {
    let code = Code::from_i32(ack.code);
    let own = (!ack.receiver_id.is_empty()).then(|| ack.receiver_id.clone());
    let response = delivery::Response {
        status: http_status(code),
        text: format!("{code:?}"),
        answered_by: own.or_else(|| receiver.cloned()),
        retry_after: seconds(ack.retry_after_seconds.unwrap_or_default()),
        ack: Some(ack),
    };
    judge(response, receiver_id)
}
