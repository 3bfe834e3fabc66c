//! The golden vectors of the contract.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use wove_proto::v1::{Event, EventAck, RunSummary, TaskPayload};

use super::json::parse;
use super::{ContractError, flat_json, read_ack, read_payload};

fn vectors(name: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/contract/vectors");
    let data = std::fs::read(folder.join(name)).expect("the vectors");
    serde_json::from_slice(&data).expect("a list")
}

/// Numbers as doubles, texts that hold JSON as its value: what may be written differently.
fn comparable(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(comparable).collect(),
        Value::Object(members) => {
            let read = |(name, value): (&String, &Value)| {
                let text = value.as_str().filter(|_| name.ends_with("_json"));
                let inner = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
                (name.clone(), comparable(inner.as_ref().unwrap_or(value)))
            };
            Value::Object(members.iter().map(read).collect())
        }
        other => other.clone(),
    }
}

/// Protojson as the generated readers take it: without null.
fn without_null(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), without_null(value)))
            .collect(),
        other => other.clone(),
    }
}

fn written(message: &impl Serialize) -> Value {
    serde_json::to_value(message).expect("protojson")
}

/// Reads `nested` and `binary` of a vector, and compares what is written with both.
fn round_trip<M: Message + Default + Serialize + DeserializeOwned + PartialEq>(
    vector: &Value,
) -> M {
    let nested = vector.get("nested").unwrap_or(&vector["json"]);
    let from_nested: M = serde_json::from_value(without_null(nested)).expect("nested");
    let binary = STANDARD.decode(vector["binary"].as_str().expect("binary")).expect("base64");
    let from_binary = M::decode(binary.as_slice()).expect("protobuf");
    assert!(from_nested == from_binary, "{}: nested and binary", vector["name"]);
    if let Some(nested) = vector.get("nested") {
        let (found, expected) = (written(&from_binary), without_null(nested));
        assert_eq!(comparable(&found), comparable(&expected), "{}: written", vector["name"]);
    }
    assert!(
        M::decode(from_nested.encode_to_vec().as_slice()).expect("protobuf") == from_nested,
        "{}: binary, written",
        vector["name"]
    );
    from_binary
}

#[test]
fn payloads() {
    for vector in vectors("payloads.json") {
        let expected: TaskPayload = round_trip(&vector);
        for form in ["json", "nested"].iter().filter_map(|form| vector.get(form)) {
            let text = form.to_string();
            let read = read_payload(text.as_bytes()).expect("a payload");
            assert!(read == expected, "{}", vector["name"]);
            let wrapped = read_payload(STANDARD.encode(text).as_bytes()).expect("base64");
            assert!(wrapped == expected, "{} in base64", vector["name"]);
        }
    }
}

#[test]
fn acks() {
    for vector in vectors("acks.json") {
        let expected: EventAck = round_trip(&vector);
        for form in ["json", "nested"].iter().filter_map(|form| vector.get(form)) {
            let read = read_ack(form.to_string().as_bytes()).expect("an ack");
            assert!(read == expected, "{}", vector["name"]);
        }
    }
}

#[test]
fn summaries() {
    for vector in vectors("summaries.json") {
        let _: RunSummary = round_trip(&vector);
    }
}

#[test]
fn events() {
    for vector in vectors("events.json") {
        let mut event: Event = round_trip(&vector);
        let flat: Value =
            serde_json::from_slice(&flat_json(&mut event).expect("an event")).expect("JSON");
        let mut expected = without_null(&vector["json"]);
        flatten_aliases(expected.as_object_mut().expect("an object"));
        assert_eq!(comparable(&flat), comparable(&expected), "{}", vector["name"]);
    }
}

/// What a writer makes of the two aliases of flat JSON.
fn flatten_aliases(flat: &mut Map<String, Value>) {
    if let Some(value) = flat.remove("result") {
        flat.insert("result_json".into(), value.to_string().into());
    }
    if let Some(text) = flat.get("error").and_then(Value::as_str) {
        let error = json!({ "message": text });
        flat.insert("error".into(), error);
    }
}

fn body(vector: &Value) -> Vec<u8> {
    if let Some(text) = vector.get("body").and_then(Value::as_str) {
        return text.as_bytes().to_vec();
    }
    if let Some(text) = vector.get("body_base64").and_then(Value::as_str) {
        return STANDARD.decode(text).expect("base64");
    }
    let parts = vector["body_parts"].as_array().expect("parts");
    let repeat = |part: &Value| {
        let count = usize::try_from(part[1].as_u64().expect("a count")).expect("a size");
        part[0].as_str().expect("a text").repeat(count)
    };
    parts.iter().map(repeat).collect::<String>().into_bytes()
}

fn read(message: &str, data: &[u8]) -> Option<Result<Value, ContractError>> {
    match message {
        "TaskPayload" => Some(read_payload(data).map(|payload| written(&payload))),
        "EventAck" => Some(read_ack(data).map(|ack| written(&ack))),
        _ => None, // what a worker does not read
    }
}

#[test]
fn accepted() {
    let mut seen = 0;
    for vector in vectors("accepted.json") {
        let Some(found) = read(vector["message"].as_str().expect("a name"), &body(&vector)) else {
            continue;
        };
        seen += 1;
        let found = found.unwrap_or_else(|error| panic!("{}: {error}", vector["name"]));
        assert_eq!(comparable(&found), comparable(&vector["expect"]), "{}", vector["name"]);
    }
    assert!(seen > 5);
}

#[test]
fn refused() {
    let mut seen = 0;
    for vector in vectors("refused.json") {
        let Some(found) = read(vector["message"].as_str().expect("a name"), &body(&vector)) else {
            continue;
        };
        seen += 1;
        let name = vector["name"].as_str().expect("a name");
        let error = found.expect_err(name);
        let code = &vector["code"];
        let codes = code.as_array().cloned().unwrap_or_else(|| vec![code.clone()]);
        assert!(codes.contains(&error.code.into()), "{name}: {} is not of {codes:?}", error.code);
        // Where the text is no JSON to this parser, there is no field to name either.
        if error.code == codes[0] {
            assert_eq!(Some(error.path.as_str()), vector["path"].as_str(), "{name}");
        }
    }
    assert!(seen > 10);
}

#[test]
fn texts() {
    for vector in vectors("texts.json") {
        let name = vector["name"].as_str().expect("a name");
        let found = read_payload(vector["text"].as_str().expect("a text").as_bytes());
        if vector.get("refused").is_some() {
            found.expect_err(name);
        } else {
            let found = written(&found.unwrap_or_else(|error| panic!("{name}: {error}")));
            assert_eq!(comparable(&found), comparable(&vector["expect"]), "{name}");
        }
    }
}

/// Of every message, also of those that a worker does not read.
#[test]
fn repeated_names() {
    let mut seen = 0;
    for vector in vectors("refused.json") {
        if vector["code"] == "duplicate_key" {
            seen += 1;
            let error = parse(&body(&vector)).expect_err("a name is there twice");
            let found = (error.code, Some(error.path.as_str()));
            assert_eq!(found, ("duplicate_key", vector["path"].as_str()), "{}", vector["name"]);
        }
    }
    assert!(seen > 5);
}
