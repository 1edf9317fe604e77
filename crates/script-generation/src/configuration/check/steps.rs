//! The rules of a single step.

use std::collections::BTreeSet;

use load_analysis::threshold::Threshold;
use serde_json::Value;

use super::{MAX_THINK, Refusals, check_name};
use crate::configuration::{Step, Think};
use crate::invalid::Place;
use crate::naming::is_value_name;

/// The longest path with its query; servers refuse longer ones.
const MAX_PATH: usize = 4_000;

/// The longest JSON Pointer.
const MAX_POINTER: usize = 200;

/// Headers of one step.
const MAX_HEADERS: usize = 40;

/// The longest value of a header; servers refuse longer ones.
const MAX_HEADER: usize = 8_000;

/// Checks, fills and saved values of one step, each.
const MAX_PARTS: usize = 50;

/// What would carry a secret into a file, or is the business of k6.
const REFUSED_HEADERS: [&str; 8] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "host",
    "content-length",
    "transfer-encoding",
    "traceparent",
    "baggage",
];

pub(super) fn check_step(
    step: &Step,
    known: &BTreeSet<&str>,
    place: &Place,
    refusals: &mut Refusals,
) {
    check_name(&step.name(), &place.member("name"), refusals);
    check_path(&step.path, &place.member("path"), refusals);
    for (name, value) in &step.values {
        check_value(&place.member("values"), name, value, refusals);
    }
    check_headers(step, &place.member("headers"), refusals);
    check_body(step, place, refusals);
    let fits = (200..=399).contains(&step.status);
    refusals.unless(
        fits,
        place.member("status"),
        "must be 200 to 399: no request is meant to fail",
    );
    for (member, saved) in [("save", &step.save), ("find", &step.find)] {
        let place = place.member(member);
        for (name, pointer) in saved {
            check_value_name(name, &place, refusals);
            check_pointer(pointer, &place.member(name), refusals);
        }
    }
    check_checks(step, &place.member("check"), refusals);
    for (index, expression) in step.thresholds.iter().enumerate() {
        if let Err(error) = Threshold::parse("http_req_duration", expression) {
            refusals.add(place.member("thresholds").entry(index), error);
        }
    }
    check_think(step.think, place, refusals);
    for name in step.needs() {
        let told = known.contains(name) || step.values.contains_key(name);
        let reason = "is known here by no row, make, values or earlier save";
        refusals.unless(told, place, format!("{name} {reason}"));
    }
}

pub(super) fn check_value(place: &Place, name: &str, value: &Value, refusals: &mut Refusals) {
    check_value_name(name, place, refusals);
    let single = !value.is_array() && !value.is_object() && !value.is_null();
    let reason = "must be a text, a number or a truth value";
    refusals.unless(single, place.member(name), reason);
}

pub(super) fn check_think(think: Option<Think>, place: &Place, refusals: &mut Refusals) {
    if let Some([from, to]) = think {
        let fits = 0.0 <= from && from <= to && to <= MAX_THINK;
        let reason = format!("must be two numbers of seconds, rising, up to {MAX_THINK}");
        refusals.unless(fits, place.member("think"), reason);
    }
}

fn check_value_name(name: &str, place: &Place, refusals: &mut Refusals) {
    let reason = format!("{name:?} must be a letter, then up to 39 letters, digits and _");
    refusals.unless(is_value_name(name), place, reason);
}

/// A path of RFC 3986 with values in braces.
fn check_path(path: &str, place: &Place, refusals: &mut Refusals) {
    let allowed =
        |sign: char| sign.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?%[]|{}".contains(sign);
    let fits = path.len() <= MAX_PATH && path.starts_with('/') && path.chars().all(allowed);
    let reason = format!("must begin with / and be an encoded path of up to {MAX_PATH} characters");
    refusals.unless(fits, place, reason);
    let mut rest = path;
    let mut closed = true;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, behind)) = after.split_once('}') else {
            closed = false;
            break;
        };
        closed &= is_value_name(name) && !before.contains('}');
        rest = behind;
    }
    let reason = "must have names of values in braces, such as {bookId}";
    refusals.unless(closed && !rest.contains('}'), place, reason);
}

fn check_headers(step: &Step, place: &Place, refusals: &mut Refusals) {
    let count = step.headers.len();
    refusals.unless(
        count <= MAX_HEADERS,
        place,
        format!("must be at most {MAX_HEADERS}"),
    );
    for (name, value) in &step.headers {
        refusals.unless(
            is_header_name(name),
            place,
            format!("{name:?} is no name of a header"),
        );
        let reason = "is a secret, which has no place in a script, or is set by k6";
        refusals.unless(!is_refused(name), place.member(name), reason);
        let reason = format!("must be one line of at most {MAX_HEADER} bytes");
        refusals.unless(fits_a_line(value), place.member(name), reason);
    }
}

/// Whether a header can be a part of a step.
pub(crate) fn may_send(name: &str, value: &str) -> bool {
    is_header_name(name) && !is_refused(name) && fits_a_line(value)
}

/// A token of RFC 9110, section 5.6.2.
fn is_header_name(name: &str) -> bool {
    let is_token = |sign: char| sign.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(sign);
    (1..=100).contains(&name.len()) && name.chars().all(is_token)
}

fn is_refused(name: &str) -> bool {
    REFUSED_HEADERS.contains(&name.to_ascii_lowercase().as_str())
}

fn fits_a_line(value: &str) -> bool {
    value.len() <= MAX_HEADER && !value.chars().any(char::is_control)
}

fn check_body(step: &Step, place: &Place, refusals: &mut Refusals) {
    let one = step.body.is_none() || step.text.is_none();
    refusals.unless(one, place.member("text"), "does not go with body");
    let place = place.member("fill");
    refusals.unless(
        step.fill.len() <= MAX_PARTS,
        &place,
        format!("must be at most {MAX_PARTS}"),
    );
    for pointer in step.fill.keys() {
        let here = place.member(pointer);
        let reason = "must be a JSON Pointer to something that the body has";
        let target = step.body.as_ref().and_then(|body| body.pointer(pointer));
        refusals.unless(target.is_some() && !pointer.is_empty(), &here, reason);
        check_pointer(pointer, &here, refusals);
    }
}

fn check_checks(step: &Step, place: &Place, refusals: &mut Refusals) {
    let parts = step.check.len().max(step.save.len()).max(step.find.len());
    refusals.unless(
        parts <= MAX_PARTS,
        place,
        format!("must be at most {MAX_PARTS}"),
    );
    for (index, check) in step.check.iter().enumerate() {
        let place = place.entry(index);
        check_pointer(&check.at, &place.member("at"), refusals);
        let one = check.equals.is_none() || check.value.is_none();
        refusals.unless(one, place.member("value"), "does not go with equals");
    }
}

/// Pointers stand in the script, in names of checks too, where k6 takes no `::`.
fn check_pointer(pointer: &str, place: &Place, refusals: &mut Refusals) {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "/_-.~@$".contains(sign);
    let fits = pointer.len() <= MAX_POINTER
        && (pointer.is_empty() || pointer.starts_with('/'))
        && pointer.chars().all(plain);
    let reason = "must be a JSON Pointer such as /books/0/id, of letters, digits and _ - . ~ @ $";
    refusals.unless(fits, place, reason);
}
