//! Which requests are the same: those with the same method, path and document,
//! whatever the order of its members.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// SHA-256 in hexadecimal digits.
pub(super) fn of(method: &str, path: &str, body: &[u8]) -> String {
    let mut hasher = Sha256::new();
    for part in [method, path] {
        hasher.update(part);
        hasher.update([0]);
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(document) => {
            let mut text = String::new();
            write(&document, &mut text);
            hasher.update(text);
        }
        Err(_) => hasher.update(body),
    }
    let digest: [u8; 32] = hasher.finalize().into();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The document with its members in the order of their names.
fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (name, member) in sorted {
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write(member, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn the_order_of_members_does_not_matter_and_all_else_does() {
        let first = of(
            "POST",
            "/v1/messages",
            br#"{"a":1,"b":{"c":[1,2],"d":"x"}}"#,
        );
        assert_eq!(first.len(), 64);
        let same = br#"{ "b": {"d": "x", "c": [1, 2]}, "a": 1 }"#;
        assert_eq!(of("POST", "/v1/messages", same), first);
        for (method, path, body) in [
            ("PUT", "/v1/messages", &same[..]),
            ("POST", "/v1/message", &same[..]),
            (
                "POST",
                "/v1/messages",
                br#"{"a":1,"b":{"c":[2,1],"d":"x"}}"#,
            ),
            ("POST", "/v1/messages", br#"{"a":1}"#),
            ("POST", "/v1/messages", b"{"),
        ] {
            assert_ne!(of(method, path, body), first);
        }
    }
}
