//! Takes out of an answer what leads back to who asked: the vendors' ids. Equal
//! ids stay equal, so that an answer still fits together.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::PACKED;
use crate::wire::{Encoding, Frame};

/// The members that hold ids, or the names of users and accounts.
const ID_MEMBERS: [&str; 13] = [
    "id",
    "request_id",
    "response_id",
    "item_id",
    "message_id",
    "call_id",
    "tool_call_id",
    "tool_use_id",
    "previous_response_id",
    "system_fingerprint",
    "organization",
    "user",
    "account",
];
/// The ids of one answer, and what stands for them.
#[derive(Default)]
pub(super) struct Ids(HashMap<String, String>);

impl Ids {
    /// The frame without ids.
    pub(super) fn remove(&mut self, frame: Vec<u8>, encoding: Encoding) -> Vec<u8> {
        let Some(parsed) = (encoding == Encoding::Binary)
            .then(|| Frame::parse(&frame))
            .flatten()
        else {
            return self.remove_from_text(frame);
        };
        let payload = self.remove_packed(parsed.payload());
        parsed.with_payload(&payload)
    }

    fn remove_from_text(&mut self, frame: Vec<u8>) -> Vec<u8> {
        match String::from_utf8(frame) {
            Ok(text) => self.replace(&text).into_bytes(),
            Err(torn) => torn.into_bytes(),
        }
    }

    fn remove_packed(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut document: Value = match serde_json::from_slice(payload) {
            Ok(document) => document,
            Err(_) => return payload.to_vec(),
        };
        let packed = document.get(PACKED).and_then(Value::as_str);
        let Some(inner) = packed.and_then(|text| STANDARD.decode(text).ok()) else {
            return self.remove_from_text(payload.to_vec());
        };
        let inner = self.remove_from_text(inner);
        if let Some(member) = document.get_mut(PACKED) {
            *member = STANDARD.encode(inner).into();
        }
        document.to_string().into_bytes()
    }

    /// Works on the text, so that all else stays as it was. A quotation mark
    /// that is not escaped cannot be within a string, so what looks like a
    /// member is one.
    fn replace(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, value, after)) = next_id(rest) {
            out.push_str(before);
            out.push_str(self.stand_in(value));
            rest = after;
        }
        out.push_str(rest);
        out
    }

    fn stand_in(&mut self, id: &str) -> &str {
        let number = self.0.len() + 1;
        self.0.entry(id.to_owned()).or_insert_with(|| {
            let end = id.find(['_', '-']).map_or(0, |at| at + 1);
            let prefix = id.get(..end).unwrap_or("");
            // The first part of a UUID is as telling as the others.
            if prefix.bytes().any(|byte| byte.is_ascii_digit()) {
                return format!("recorded{number}");
            }
            format!("{prefix}recorded{number}")
        })
    }
}

/// What precedes the value of the next id, the value, and what follows it.
fn next_id(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find('"') {
        let start = from + at + 1;
        from = start;
        let Some(member) = member_at(text.get(start..)?) else {
            continue;
        };
        let value_start = start + member;
        let value = text.get(value_start..)?;
        let length = value.find('"')?;
        if length > 0 {
            return Some((
                text.get(..value_start)?,
                value.get(..length)?,
                value.get(length..)?,
            ));
        }
    }
    None
}

/// Where the value begins, if this is the name of an id's member and its value
/// is a string.
fn member_at(text: &str) -> Option<usize> {
    let after_name = ID_MEMBERS
        .iter()
        .find_map(|name| text.strip_prefix(name)?.strip_prefix('"'))?;
    let value = after_name
        .trim_start()
        .strip_prefix(':')?
        .trim_start()
        .strip_prefix('"')?;
    Some(text.len() - value.len())
}

#[cfg(test)]
mod tests {
    use super::Ids;
    use crate::wire::Encoding;

    fn without_ids(text: &str) -> String {
        let clean = Ids::default().remove(text.as_bytes().to_vec(), Encoding::Events);
        String::from_utf8(clean).unwrap()
    }

    #[test]
    fn ids_are_replaced_and_equal_ones_stay_equal() {
        assert_eq!(
            without_ids(r#"data: {"id":"msg_01Ab","request_id" : "req_9","item_id":"msg_01Ab"}"#),
            r#"data: {"id":"msg_recorded1","request_id" : "req_recorded2","item_id":"msg_recorded1"}"#
        );
        assert_eq!(
            without_ids(r#"{"id":"3fa85f64-5717-4562","user":"anna"}"#),
            r#"{"id":"recorded1","user":"recorded2"}"#
        );
    }

    #[test]
    fn texts_numbers_and_other_members_stay() {
        for text in [
            r#"{"text":"say \"id\":\"x\" twice","model":"m-1","id":7,"id":"","ids":"a"}"#,
            r#"{"id":null,"user":{"name":"x"}}"#,
            "\"id",
            "\"id\":\"",
            "",
        ] {
            assert_eq!(without_ids(text), text);
        }
    }
}
