//! The journeys as functions, one call per step.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::data::Steps;
use super::number;
use crate::configuration::{Check, Configuration, Journey, Made, Step};
use crate::naming::{Given, identifier};
use crate::text::{self, literal};

pub(super) fn write(configuration: &Configuration, steps: &Steps) -> String {
    let mut given = Given::default();
    let names: Vec<String> = configuration
        .journeys
        .iter()
        .map(|journey| given.unique(&identifier("walk", &journey.name)))
        .collect();
    let mut code = String::from("/** What users do, and how often. */\nconst JOURNEYS = [\n");
    for (journey, name) in configuration.journeys.iter().zip(&names) {
        line(
            &mut code,
            1,
            &format!("{{ weight: {}, walk: {name} }},", journey.weight),
        );
    }
    code += "];\n\nexport default function () {\n  nextJourney().walk();\n}\n";
    for (index, (journey, name)) in configuration.journeys.iter().zip(&names).enumerate() {
        code += &function(journey, name, &|step| steps.number(index, step));
    }
    code
}

fn function(journey: &Journey, name: &str, entry: &dyn Fn(usize) -> Option<usize>) -> String {
    let mut code = format!("\nfunction {name}() {{\n");
    let made = made(&journey.make);
    line(
        &mut code,
        1,
        &format!("const user = begin({}, {made});", literal(&journey.name)),
    );
    for (index, step) in journey.steps.iter().enumerate() {
        code += &call(step, entry(index));
        let last = index + 1 == journey.steps.len();
        // Users of a closed load wait before they begin again; arrivals simply end.
        if let Some([from, to]) = journey.think_behind(step) {
            let [from, span] = [number(from), number(to - from)];
            let seconds = match span.as_str() {
                "0" => from,
                "1" => format!("{from} + Math.random()"),
                _ => format!("{from} + Math.random() * {span}"),
            };
            line(&mut code, 1, &format!("sleep({seconds});"));
        }
        if !last && journey.think_behind(step).is_some() {
            code.push('\n');
        }
    }
    code + "}\n"
}

fn call(step: &Step, entry: Option<usize>) -> String {
    let mut code = String::from("  send(user, {\n");
    let mut member = |name: &str, value: &str| line(&mut code, 2, &format!("{name}: {value},"));
    member("name", &literal(&step.name()));
    member("method", &literal(step.method.as_str()));
    member("path", &literal(&step.path));
    if let Some(entry) = entry {
        member("data", &entry.to_string());
    }
    for (name, map) in [
        ("fill", &step.fill),
        ("save", &step.save),
        ("find", &step.find),
    ] {
        if !map.is_empty() {
            member(name, &object(map));
        }
    }
    member("status", &step.status.to_string());
    if !step.check.is_empty() {
        let checks: Vec<String> = step.check.iter().map(check).collect();
        member("check", &format!("[{}]", checks.join(", ")));
    }
    code + "  });\n"
}

fn check(check: &Check) -> String {
    let at = literal(&check.at);
    match (&check.equals, &check.value) {
        (_, Some(name)) => format!("{{ at: {at}, value: {}, same: true }}", literal(name)),
        (Some(_), None) => format!("{{ at: {at}, same: true }}"),
        (None, None) => format!("{{ at: {at} }}"),
    }
}

fn made(make: &BTreeMap<String, Made>) -> String {
    let call = |made: Made| match made {
        Made::Isbn13 => "isbn13()",
        Made::Unique => "unique()",
    };
    let members: Vec<String> = make
        .iter()
        .map(|(name, made)| format!("{name}: {}", call(*made)))
        .collect();
    braces(&members)
}

/// Names are identifiers or pointers, values the other of both: literals of texts that passed a
/// rule.
fn object(map: &BTreeMap<String, String>) -> String {
    let members: Vec<String> = map
        .iter()
        .map(|(name, value)| format!("{}: {}", text::member(name), literal(value)))
        .collect();
    braces(&members)
}

fn braces(members: &[String]) -> String {
    if members.is_empty() {
        "{}".to_owned()
    } else {
        format!("{{ {} }}", members.join(", "))
    }
}

fn line(to: &mut String, indent: usize, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(to, "{}{text}", "  ".repeat(indent));
}
