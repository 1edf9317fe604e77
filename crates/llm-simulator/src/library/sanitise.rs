//! Takes out of an answer what leads back to who asked: the vendors' ids, the
//! words of errors, which quote keys and accounts, what is sealed for one
//! account, and Amazon's account numbers. Equal ids stay equal, so that an
//! answer still fits together.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{PACKED, account_numbers::without_accounts};
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
/// The members that are put away as a whole: what errors say (a string of these
/// names is nothing else in any dialect), and what only the account can open
/// that it was made for.
const SEALED_MEMBERS: [&str; 7] = [
    "message",
    "Message",
    "error",
    "detail",
    "signature",
    "encrypted_content",
    "redactedContent",
];

/// Stands for what is put away.
const SEALED: &str = "recorded";

/// The ids of one answer, and what stands for them.
#[derive(Default)]
pub(super) struct Ids {
    stand_ins: HashMap<String, String>,
    /// Whether they stay: what can be asked for with a GET is public, and names
    /// are ids there.
    stay: bool,
}

/// What a member holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Id,
    Sealed,
}

/// A member to be replaced.
struct Member<'a> {
    before: &'a str,
    holds: Holds,
    value: &'a str,
    after: &'a str,
}

impl Ids {
    /// Those of an answer to this method.
    pub(super) fn of(method: &str) -> Self {
        Self {
            stay: method == "GET",
            ..Self::default()
        }
    }

    /// What is recorded of an error's page that is no JSON: that there was one.
    pub(super) fn of_no_json(page: Vec<u8>) -> Vec<u8> {
        match serde_json::from_slice::<Value>(&page) {
            Ok(_) => page,
            Err(_) => SEALED.into(),
        }
    }

    /// The frame without all that.
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
        while let Some(member) = next_member(rest) {
            out.push_str(member.before);
            out.push_str(match member.holds {
                Holds::Sealed => SEALED,
                Holds::Id if self.stay => member.value,
                Holds::Id => self.stand_in(member.value),
            });
            rest = member.after;
        }
        out.push_str(rest);
        without_accounts(&out)
    }

    fn stand_in(&mut self, id: &str) -> &str {
        let number = self.stand_ins.len() + 1;
        self.stand_ins.entry(id.to_owned()).or_insert_with(|| {
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

/// The next member to be replaced whose value is a string, and no empty one. A
/// string that was torn ends with the text.
fn next_member(text: &str) -> Option<Member<'_>> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find('"') {
        let start = from + at + 1;
        from = start;
        let Some((holds, member)) = member_at(text.get(start..)?) else {
            continue;
        };
        let value_start = start + member;
        let value = text.get(value_start..)?;
        let length = string_length(value);
        if length > 0 {
            return Some(Member {
                before: text.get(..value_start)?,
                holds,
                value: value.get(..length)?,
                after: value.get(length..)?,
            });
        }
    }
    None
}

/// Bytes up to the quotation mark that ends a string.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.unwrap_or(text.len())
}

/// What the member holds and where its value begins, if this is the name of one
/// to be replaced, and its value is a string.
fn member_at(text: &str) -> Option<(Holds, usize)> {
    let ids = ID_MEMBERS.iter().map(|name| (Holds::Id, *name));
    let sealed = SEALED_MEMBERS.iter().map(|name| (Holds::Sealed, *name));
    let (holds, after_name) = ids
        .chain(sealed)
        .find_map(|(holds, name)| Some((holds, text.strip_prefix(name)?.strip_prefix('"')?)))?;
    let value = after_name
        .trim_start()
        .strip_prefix(':')?
        .trim_start()
        .strip_prefix('"')?;
    Some((holds, text.len() - value.len()))
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
    fn what_errors_say_and_what_is_sealed_is_put_away() {
        for (text, expected) in [
            (
                r#"{"error":{"type":"x","message":"key \"sk-1\" of a\\"}}"#,
                r#"{"error":{"type":"x","message":"recorded"}}"#,
            ),
            (
                r#"{"error":"model \"x\" not found"}"#,
                r#"{"error":"recorded"}"#,
            ),
            (r#"{"message":"torn of acc"#, r#"{"message":"recorded"#),
            (
                r#"{"type":"signature_delta","signature":"EqQB=="}"#,
                r#"{"type":"signature_delta","signature":"recorded"}"#,
            ),
            (
                r#"{"message":{"content":"x"}}"#,
                r#"{"message":{"content":"x"}}"#,
            ),
        ] {
            assert_eq!(without_ids(text), expected);
        }
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
