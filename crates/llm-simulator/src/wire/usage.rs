//! Replies that report other numbers of tokens than were used.

use bytes::Bytes;
use serde_json::Value;

use super::{encoding::Encoding, event_stream::Frame};
use crate::faults::Reported;

/// The object in which most vendors report tokens, at any depth.
const USAGE: &str = "usage";
/// Ollama's counts, which have no object of their own.
const COUNTS: [&str; 2] = ["prompt_eval_count", "eval_count"];
/// More tokens than any model can have read or written, and exact in a double.
const ABSURD: i64 = 1_000_000_000_000_000;

/// The frame, or document, with other numbers.
pub(super) fn misreport(frame: &[u8], encoding: Encoding, reported: Reported) -> Bytes {
    let changed = match encoding {
        Encoding::Binary => binary(frame, reported),
        Encoding::Events => lines(frame, b"data: ", reported),
        Encoding::Lines => lines(frame, b"", reported),
        Encoding::Document => document(frame, reported),
    };
    changed.map_or_else(|| Bytes::copy_from_slice(frame), Bytes::from)
}

fn binary(bytes: &[u8], reported: Reported) -> Option<Vec<u8>> {
    let mut changed = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        let frame = Frame::parse(rest)?;
        match document(frame.payload(), reported) {
            Some(payload) => changed.extend(frame.with_payload(&payload)),
            None => changed.extend_from_slice(rest.get(..frame.len())?),
        }
        rest = rest.get(frame.len()..)?;
    }
    Some(changed)
}

/// Changes the documents on the lines that begin like this.
fn lines(bytes: &[u8], prefix: &[u8], reported: Reported) -> Option<Vec<u8>> {
    let mut changed = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let found = text
            .strip_prefix(prefix)
            .and_then(|text| document(text, reported));
        match found {
            Some(document) => {
                changed.extend_from_slice(prefix);
                changed.extend(document);
                changed.extend_from_slice(line.get(text.len()..)?);
            }
            None => changed.extend_from_slice(line),
        }
    }
    Some(changed)
}

fn document(bytes: &[u8], reported: Reported) -> Option<Vec<u8>> {
    let mut document: Value = serde_json::from_slice(bytes).ok()?;
    change(&mut document, reported);
    serde_json::to_vec(&document).ok()
}

fn change(value: &mut Value, reported: Reported) {
    let members = match value {
        Value::Object(members) => members,
        Value::Array(items) => return items.iter_mut().for_each(|item| change(item, reported)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return,
    };
    let reports = |name: &str, member: &Value| {
        (name == USAGE && member.is_object()) || (COUNTS.contains(&name) && member.is_number())
    };
    if reported == Reported::Missing {
        members.retain(|name, member| !reports(name, member));
    }
    for (name, member) in members.iter_mut() {
        if reports(name, member) {
            falsify(member, reported);
        } else {
            change(member, reported);
        }
    }
}

fn falsify(value: &mut Value, reported: Reported) {
    match value {
        Value::Object(members) => members
            .iter_mut()
            .for_each(|(_, member)| falsify(member, reported)),
        Value::Number(number) => {
            let negative = -number.as_i64().unwrap_or(1).max(1);
            *value = match reported {
                Reported::Negative => negative.into(),
                Reported::Absurd | Reported::Missing => ABSURD.into(),
            };
        }
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::misreport;
    use crate::{faults::Reported, wire::encoding::Encoding};

    fn changed(frame: &str, encoding: Encoding, reported: Reported) -> String {
        String::from_utf8(misreport(frame.as_bytes(), encoding, reported).to_vec()).unwrap()
    }

    #[test]
    fn every_vendors_report_is_found() {
        let claude =
            "event: message_start\ndata: {\"message\":{\"usage\":{\"input_tokens\":5}}}\n\n";
        assert_eq!(
            changed(claude, Encoding::Events, Reported::Negative),
            claude.replace('5', "-5")
        );
        let ollama = "{\"eval_count\":3,\"response\":\"\"}\n";
        assert_eq!(
            changed(ollama, Encoding::Lines, Reported::Missing),
            "{\"response\":\"\"}\n"
        );
        let openai = json!({"usage": {"total_tokens": 3, "details": {"cached": 0}}}).to_string();
        let absurd: Value =
            serde_json::from_str(&changed(&openai, Encoding::Document, Reported::Absurd)).unwrap();
        assert_eq!(
            absurd["usage"]["details"]["cached"],
            1_000_000_000_000_000_u64
        );
    }

    #[test]
    fn what_reports_nothing_stays_as_it_is() {
        for text in [
            "data: [DONE]\n\n",
            ": ping\n\n",
            "event: x\ndata: {\"usage\":null}\n\n",
        ] {
            assert_eq!(changed(text, Encoding::Events, Reported::Missing), text);
        }
    }
}
