//! Writing events.

use prost::Message as _;
use wove_proto::v1::{Event, event::Frame};

/// The event as protobuf.
pub(crate) fn binary(event: &Event) -> Vec<u8> {
    event.encode_to_vec()
}

/// The event as the documented JSON: the fields of its frame beside its own, and the frame's name
/// as `type`. Its frame is taken out and put back, which spares a copy of a large result.
pub(crate) fn flat_json(event: &mut Event) -> Result<Vec<u8>, serde_json::Error> {
    let frame = event.frame.take();
    let outer = serde_json::to_vec(event);
    let (name, inner) = match &frame {
        Some(Frame::TaskStarted(frame)) => ("task_started", serde_json::to_vec(frame)),
        Some(Frame::TaskResult(frame)) => ("task_result", serde_json::to_vec(frame)),
        Some(Frame::TaskError(frame)) => ("task_error", serde_json::to_vec(frame)),
        Some(Frame::TaskCancelled(frame)) => ("task_cancelled", serde_json::to_vec(frame)),
        Some(Frame::Heartbeat(frame)) => ("heartbeat", serde_json::to_vec(frame)),
        Some(Frame::Progress(frame)) => ("progress", serde_json::to_vec(frame)),
        Some(Frame::Log(frame)) => ("log", serde_json::to_vec(frame)),
        None => ("", Ok(b"{}".to_vec())),
    };
    event.frame = frame;
    let (outer, inner) = (outer?, inner?);
    // No field of a frame has the name of one of Event, so that the two can be joined as text.
    let mut flat = format!(r#"{{"type":"{name}""#).into_bytes();
    flat.reserve_exact(outer.len() + inner.len() + 2);
    for part in [outer, inner] {
        let fields = &part[1..part.len() - 1];
        if !fields.is_empty() {
            flat.push(b',');
            flat.extend_from_slice(fields);
        }
    }
    flat.push(b'}');
    Ok(flat)
}
