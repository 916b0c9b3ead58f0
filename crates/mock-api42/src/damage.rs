//! Faults on demand: what they do to an answer.

use crate::faults::{Fault, FaultKind};
use crate::oauth;
use crate::reply::{HTML, Reply, TEXT, Wire};
use crate::switches::Switches;
use serde_json::{Map, Value};
use std::time::Duration;

pub(crate) const THROTTLED: &str = "429 Too Many Requests (Spam Rate Limit Exceeded)";

const BOT_PAGE: &str = "<!DOCTYPE html>\n<html lang=\"en-US\"><head><title>Just a moment...</title></head>\
<body><noscript>Enable JavaScript and cookies to continue</noscript></body></html>\n";

/// The answer of a fault that leaves no room for a real one.
pub(crate) fn instead(fault: &Fault, switches: &Switches) -> Option<Reply> {
    let mut reply = match fault.kind {
        FaultKind::Html502 => Reply::html(502),
        FaultKind::Html503 => Reply::html(503),
        FaultKind::Html504 => Reply::html(504),
        FaultKind::Html200 => Reply::new(200, HTML, BOT_PAGE),
        FaultKind::Html403 => Reply::new(403, HTML, BOT_PAGE),
        FaultKind::Status500 => Reply::json(500, r#"{"status":500,"error":"Internal Server Error"}"#),
        FaultKind::Throttle => throttled(fault),
        FaultKind::Unauthorized => oauth::unauthorized("The access token is invalid", switches),
        _ => return None,
    };
    reply.spoilt = true;
    Some(reply)
}

fn throttled(fault: &Fault) -> Reply {
    let reply = Reply::new(429, TEXT, THROTTLED);
    match &fault.retry_after {
        Some(Value::String(text)) => reply.with("Retry-After", text.as_str()),
        Some(value) => reply.with("Retry-After", value.to_string()),
        None => reply,
    }
}

/// What is left of a real answer.
pub(crate) fn spoil(fault: &Fault, mut reply: Reply) -> Reply {
    reply.spoilt = true;
    let pause = Duration::from_millis(fault.ms.unwrap_or(20));
    match fault.kind {
        FaultKind::Truncate => reply.wire = Wire::Cut,
        FaultKind::TruncateGzip => reply.wire = Wire::CutCompressed,
        FaultKind::Drip => reply.wire = Wire::Drip(pause),
        FaultKind::Hang => reply.wire = Wire::Hang,
        FaultKind::Reset => reply.wire = Wire::Reset,
        FaultKind::BadJson => reply.body.truncate(reply.body.len() * 3 / 5),
        FaultKind::NoTotal => reply.headers.retain(|(name, _)| *name != "X-Total"),
        _ => {
            if let Ok(Value::Array(records)) = serde_json::from_slice(&reply.body) {
                reply.body = written(&rewritten(fault.kind, records));
            }
        }
    }
    reply
}

fn rewritten(kind: FaultKind, mut records: Vec<Value>) -> Value {
    // In the middle, where a client that only looks at the first record does not find it.
    let middle = records.len() / 2;
    let record = records.get_mut(middle).and_then(Value::as_object_mut);
    match kind {
        FaultKind::Empty => records.clear(),
        FaultKind::Nul => {
            if let Some(Value::String(text)) = record.and_then(first_text) {
                text.insert(0, '\0');
            }
        }
        FaultKind::NoId => {
            record.and_then(|record| record.shift_remove("id"));
        }
        FaultKind::DuplicateId => {
            let again = records.get(middle).cloned();
            records.extend(again);
        }
        FaultKind::ShortPage => records.truncate(middle),
        FaultKind::NotArray => {
            let mut object = Map::new();
            object.insert("records".to_owned(), Value::Array(records));
            return Value::Object(object);
        }
        _ => {}
    }
    Value::Array(records)
}

fn first_text(record: &mut Map<String, Value>) -> Option<&mut Value> {
    record.values_mut().find(|value| value.is_string())
}

/// JSON as Rails writes it: the three characters occur in strings only.
fn written(value: &Value) -> Vec<u8> {
    let text = value.to_string();
    text.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e").into_bytes()
}
