//! Takes out of k6's output what must not be kept: credentials in addresses, queries, tokens.
//!
//! A script names a request by its address unless it says otherwise, and logs what it likes. What is
//! left in the place of a secret is [`MARK`]; a query or a fragment goes as a whole.

mod address;

use std::borrow::Cow;

/// Stands where something was taken out.
pub const MARK: &str = "***";

/// Names whose value is a secret, without their case; parts of longer names, such as
/// `X-Api-Key` or `access_token`, count.
const SECRET_NAMES: [&str; 13] = [
    "authorization",
    "cookie",
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "credential",
    "api-key",
    "api_key",
    "apikey",
    "signature",
    "session",
];

/// Words of an `Authorization` header before the secret (RFC 9110, 11.4).
const SCHEMES: [&str; 3] = ["bearer", "basic", "digest"];

/// Shorter words of these beginnings are no keys of the vendors, and no JSON Web Tokens.
const LEAST_KEY: usize = 16;

/// Beginnings of what is a key by itself, whatever stands before it.
const KEY_BEGINNINGS: [&str; 6] = ["eyJ", "sk-", "AKIA", "ASIA", "ghp_", "xoxb-"];

/// What the next word may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// Anything.
    Word,
    /// The sign after the name of a secret.
    Sign,
    /// The secret.
    Secret,
}

/// The text without secrets.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    // Almost every text is harmless and is only looked at.
    if is_harmless(text) {
        return Cow::Borrowed(text);
    }
    let mut redacted = String::with_capacity(text.len());
    let mut awaited = Awaited::Word;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(is_border).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if !word.is_empty() {
            awaited = add(&mut redacted, word, awaited);
        }
        let borders = after
            .find(|letter| !is_border(letter))
            .unwrap_or(after.len());
        let (borders, next) = after.split_at(borders);
        // A secret stands on the line of its name.
        if borders.contains('\n') {
            awaited = Awaited::Word;
        }
        redacted.push_str(borders);
        rest = next;
    }
    Cow::Owned(redacted)
}

/// Whether nothing in the text can be or name a secret. This is asked of each tag of each request.
fn is_harmless(text: &str) -> bool {
    let (mut colon, mut several) = (false, false);
    for byte in text.bytes() {
        match byte {
            b'?' | b'@' | b'#' | b'=' => return false,
            b':' => colon = true,
            byte => several |= is_border(char::from(byte)),
        }
    }
    let long = text.len() >= LEAST_KEY;
    if long
        && KEY_BEGINNINGS
            .iter()
            .any(|beginning| text.contains(beginning))
    {
        return false;
    }
    // A word alone has no value, and neither has an address without user and query.
    let alone = !several && (!colon || text.starts_with("http"));
    let scheme = |scheme: &&str| contains(text.as_bytes(), scheme);
    alone || !(names_secret(text) || SCHEMES.iter().any(scheme))
}

/// What separates words: neither an address nor a token contains it.
const fn is_border(letter: char) -> bool {
    matches!(
        letter,
        ' ' | '\t' | '\r' | '\n' | '"' | '\'' | '`' | '<' | '>' | '\\' | '{' | '}'
    )
}

/// Adds a word as far as it may be kept, and says what may follow.
fn add(redacted: &mut String, word: &str, awaited: Awaited) -> Awaited {
    let sign = |word: &str| {
        word.bytes()
            .all(|byte| matches!(byte, b':' | b'=' | b',' | b'['))
    };
    match awaited {
        // `"token" : "…"`, and `Authorization: Bearer …`.
        Awaited::Sign | Awaited::Secret if sign(word) => {
            redacted.push_str(word);
            return if word.contains(',') {
                Awaited::Word
            } else {
                Awaited::Secret
            };
        }
        Awaited::Secret if is_scheme(word) => {
            redacted.push_str(word);
            return Awaited::Secret;
        }
        Awaited::Secret => {
            redacted.push_str(MARK);
            return Awaited::Word;
        }
        Awaited::Sign | Awaited::Word => {}
    }
    if let Some((before, address)) = word.split_once("://") {
        redacted.push_str(before);
        redacted.push_str("://");
        address::add(redacted, address);
        return Awaited::Word;
    }
    if let Some(at) = address::query(word) {
        let (path, _) = word.split_at(at);
        redacted.push_str(path);
        return Awaited::Word;
    }
    add_parts(redacted, word)
}

/// A word of one or several `name=value` or `name:value`, or of none.
fn add_parts(redacted: &mut String, word: &str) -> Awaited {
    let mut last = Awaited::Word;
    for part in word.split_inclusive(['&', ',', ';', '(', ')', '[', ']']) {
        let bare = part.trim_end_matches(['&', ',', ';', '(', ')', '[', ']']);
        let (_, end) = part.split_at(bare.len());
        last = Awaited::Word;
        match bare.find(['=', ':']).map(|at| bare.split_at(at)) {
            Some((name, value)) if names_secret(name) => {
                redacted.push_str(name);
                let (sign, value) = value.split_at(1);
                redacted.push_str(sign);
                if value.is_empty() {
                    last = Awaited::Secret;
                } else {
                    redacted.push_str(MARK);
                }
            }
            _ if is_key(bare) => redacted.push_str(MARK),
            _ => {
                redacted.push_str(bare);
                if names_secret(bare) {
                    last = Awaited::Sign;
                } else if is_scheme(bare) {
                    last = Awaited::Secret;
                }
            }
        }
        redacted.push_str(end);
    }
    last
}

fn is_scheme(word: &str) -> bool {
    SCHEMES
        .iter()
        .any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// Whether a word is a key by its form.
fn is_key(word: &str) -> bool {
    let begins = KEY_BEGINNINGS
        .iter()
        .any(|beginning| word.starts_with(beginning));
    begins && word.len() >= LEAST_KEY
}

fn names_secret(name: &str) -> bool {
    let name = name.as_bytes();
    SECRET_NAMES.iter().any(|secret| contains(name, secret))
}

/// Whether a text contains a word in any case.
fn contains(text: &[u8], word: &str) -> bool {
    let word = word.as_bytes();
    let mut windows = text.windows(word.len());
    windows.any(|window| window.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "",
            "GET /api/v1/books/{id}",
            "status is 200?",
            "http://127.0.0.1:7002/api/v1/books",
            "p(95)<500",
            "expected_response: true, scenario=load",
            "a@b is the mail of somebody",
            "::setup",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn addresses_lose_their_user_query_and_fragment() {
        for (text, kept) in [
            ("http://u:canary@h:1/p?q=canary#canary", "http://h:1/p"),
            ("http://canary@h", "http://h"),
            ("https://u:canary@canary@h/p", "https://h/p"),
            ("GET http://h/p?canary failed", "GET http://h/p failed"),
            ("Get \"http://h/?a=canary\": EOF", "Get \"http://h/\": EOF"),
            ("http://h/p?a=x,canary;(canary)&b", "http://h/p"),
            ("/p?token=canary", "/p"),
            ("p?a=canary x", "p x"),
            ("ws://h/p#canary", "ws://h/p"),
            ("http://h/sk-canary-canary-canary/x", "http://h/***/x"),
        ] {
            assert_eq!(redact(text), kept);
        }
    }

    #[test]
    fn tokens_are_taken_out_wherever_they_stand() {
        for (text, kept) in [
            ("Authorization: Bearer canary", "Authorization: Bearer ***"),
            ("authorization:canary", "authorization:***"),
            ("sent BEARER canary, then", "sent BEARER *** then"),
            (
                "{\"token\":\"canary\",\"n\":1}",
                "{\"token\":\"***\",\"n\":1}",
            ),
            (
                "{\\\"apiKey\\\": \\\"canary\\\"}",
                "{\\\"apiKey\\\": \\\"***\\\"}",
            ),
            ("access_token=canary&page=2", "access_token=***&page=2"),
            ("Set-Cookie: sid=canary; Path=/", "Set-Cookie: *** Path=/"),
            ("X-Api-Key = canary", "X-Api-Key = ***"),
            (
                "eyJhbGciOiJub25lIn0.eyJjYW5hcnkiOjF9.c2ln came back",
                "*** came back",
            ),
            ("key sk-canary-canary-canary!", "key ***"),
            ("(sk-canary-canary-canary)", "(***)"),
        ] {
            assert_eq!(redact(text), kept, "{text}");
        }
    }

    #[test]
    fn any_text_can_be_read() {
        for text in [
            "://",
            "?",
            "=",
            "token",
            "token=",
            "bearer",
            "a://@?#",
            "é?=ü://ö@",
            "\u{0}?",
        ] {
            let once = redact(text).into_owned();
            assert_eq!(redact(&once), once, "{text}");
        }
    }
}
