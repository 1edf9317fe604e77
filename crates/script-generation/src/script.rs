//! From a configuration to the two files of a script.

mod data;
mod journeys;
mod options;

use std::fmt::Write as _;

use serde_json::Value;

use crate::configuration::{Configuration, Made, Model};
use crate::invalid::Invalid;
use crate::text::{comment, literal};

/// Reads the run's variables.
const SETTINGS: &str = include_str!("script/settings.js");

/// Sends steps; the same in every script.
const RUNTIME: &str = include_str!("script/runtime.js");

/// The longest line of a comment.
const COMMENT_WIDTH: usize = 116;

/// The files of a script. The second one lies beside the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Files {
    /// k6 code.
    pub script: String,
    /// What it sends: `rows` and `steps`.
    pub data: Value,
}

/// Writes the script of a configuration. `data_file` is the name under which the data will lie
/// beside it; `warnings` go into its head.
///
/// # Errors
/// Everything in the configuration that is refused, by its place.
pub fn write(
    configuration: &Configuration,
    data_file: &str,
    warnings: &[String],
) -> Result<Files, Vec<Invalid>> {
    configuration.check()?;
    let steps = data::Steps::of(configuration);
    let mut script = head(configuration, data_file, warnings);
    script += &imports(configuration);
    script += &SETTINGS
        .replace("__TRACE_SAMPLE__", &number(configuration.trace_sample))
        .replace("__DATA_FILE__", &literal(&format!("./{data_file}")));
    script += &options::write(configuration);
    script += &journeys::write(configuration, &steps);
    script += RUNTIME;
    for made in made(configuration) {
        script += match made {
            Made::Isbn13 => include_str!("script/isbn13.js"),
            Made::Unique => include_str!("script/unique.js"),
        };
    }
    Ok(Files {
        script,
        data: steps.file(configuration),
    })
}

fn head(configuration: &Configuration, data_file: &str, warnings: &[String]) -> String {
    let load = &configuration.load;
    let seconds: u32 = load.stages.iter().map(|stage| stage.seconds).sum();
    let peak = load.stages.iter().map(|stage| stage.to).fold(0.0, f64::max);
    let peak = number(peak);
    let model = match load.model {
        Model::Open => format!("open; up to {peak} iterations per second, for {seconds} s."),
        Model::Closed => format!("closed; up to {peak} users, for {seconds} s."),
    };
    let mut head = String::new();
    lines(&mut head, "", &configuration.title);
    lines(&mut head, "", &configuration.about);
    lines(&mut head, "Model:   ", &model);
    let values = format!("{data_file} beside this file has every value that is sent.");
    lines(&mut head, "Values:  ", &values);
    for warning in warnings {
        lines(&mut head, "Note:    ", warning);
    }
    let source = "from a description; change that one, not this file.";
    lines(&mut head, "Written: ", source);
    head
}

/// A text as lines of comment, broken between words.
fn lines(to: &mut String, label: &str, text: &str) {
    let mut line = label.to_owned();
    let words = text.lines().flat_map(str::split_whitespace);
    for word in words {
        if line.len() + word.len() > COMMENT_WIDTH && line.trim().len() > label.trim().len() {
            push_comment(to, &line);
            line = " ".repeat(label.len());
        }
        line += word;
        line.push(' ');
    }
    if line.trim().len() > label.trim().len() {
        push_comment(to, &line);
    }
}

fn push_comment(to: &mut String, line: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(to, "// {}", comment(line));
}

fn imports(configuration: &Configuration) -> String {
    let thinks = configuration.journeys.iter().any(|journey| {
        let mut steps = journey.steps.iter();
        steps.any(|step| journey.think_behind(step).is_some())
    });
    let k6 = if thinks { "check, sleep" } else { "check" };
    format!(
        "import {{ {k6} }} from 'k6';\n\
         import {{ randomBytes }} from 'k6/crypto';\n\
         import {{ SharedArray }} from 'k6/data';\n\
         import exec from 'k6/execution';\n\
         import http from 'k6/http';\n\n"
    )
}

/// The kinds of values that are made up, each once.
fn made(configuration: &Configuration) -> Vec<Made> {
    let journeys = configuration.journeys.iter();
    let mut made: Vec<Made> = journeys
        .flat_map(|journey| journey.make.values().copied())
        .collect();
    made.sort_unstable();
    made.dedup();
    made
}

/// A checked number as JavaScript has it: whole ones without a fraction.
fn number(value: f64) -> String {
    format!("{value}")
}
