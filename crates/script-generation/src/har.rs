//! A journey from a recording of a browser (HAR 1.2): the requests to the target in their order,
//! with the pauses between them, without what identifies the person who was recorded.

mod recording;
mod request;
mod secrets;

use std::collections::BTreeMap;

use serde::Deserialize;
use url::Url;

use self::recording::{Entry, Recording};
use self::request::Reading;
use self::secrets::Removed;
use crate::configuration::{Configuration, Journey, Load, MAX_STEPS, Step, Think};
use crate::invalid::{self, Invalid, Place};
use crate::{Draft, MAX_DOCUMENT_BYTES};

/// A shorter pause is the browser's, not the person's.
const LEAST_PAUSE: f64 = 0.1;

/// A longer pause is a person who went away.
const LONGEST_PAUSE: f64 = 60.0;

/// Hosts that are named when they are left out.
const NAMED_HOSTS: usize = 5;

/// What of a recording becomes steps.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HarOptions {
    /// The address whose requests are kept, such as `https://shop.example`; that of the first
    /// request when absent.
    pub target: Option<String>,
    /// Images, fonts, styles and scripts, too.
    pub assets: bool,
    /// How much load; one user for half a minute when absent.
    pub load: Option<Load>,
}

/// Why requests were left out, with their number.
#[derive(Default)]
struct LeftOut(BTreeMap<&'static str, usize>);

impl LeftOut {
    fn count(&mut self, reason: &'static str) {
        *self.0.entry(reason).or_default() += 1;
    }
}

/// Makes a journey of a recording.
///
/// # Errors
/// A document that is no HAR, or has no request to the target that can be repeated.
pub fn draft(text: &str, options: &HarOptions) -> Result<Draft, Vec<Invalid>> {
    if text.len() > MAX_DOCUMENT_BYTES {
        let reason = format!("must have at most {MAX_DOCUMENT_BYTES} bytes");
        return Err(vec![Invalid::new("", reason)]);
    }
    let recording: Recording = invalid::read_json(text)?;
    let entries = recording.in_order().map_err(|invalid| vec![invalid])?;
    let target = target(&entries, options).map_err(|invalid| vec![invalid])?;
    let mut left_out = LeftOut::default();
    let mut other_hosts: BTreeMap<String, usize> = BTreeMap::new();
    let mut removed = Removed::default();
    let mut steps: Vec<(Step, &Entry)> = Vec::new();
    for entry in entries {
        let url = entry.url();
        if url.origin() != target.origin() {
            *other_hosts
                .entry(url.host_str().unwrap_or("none").to_owned())
                .or_default() += 1;
        } else if steps.len() == MAX_STEPS {
            left_out.count("beyond the most steps that a script has");
        } else {
            let mut reading = Reading {
                removed: &mut removed,
                assets: options.assets,
            };
            match reading.step(entry) {
                Ok(step) => steps.push((step, entry)),
                Err(reason) => left_out.count(reason),
            }
        }
    }
    if steps.is_empty() {
        let reason = "has no request to the target that can be repeated";
        let place = Place::default().member("log").member("entries");
        return Err(vec![Invalid::new(place, reason)]);
    }
    let configuration = Configuration {
        title: format!("Recorded: {}", target.host_str().unwrap_or("a journey")),
        about: String::new(),
        trace_sample: 1.0,
        load: options.load.clone().unwrap_or_default(),
        thresholds: [].into(),
        rows: Vec::new(),
        journeys: vec![Journey {
            name: "recorded".to_owned(),
            weight: 1,
            think: None,
            make: [].into(),
            steps: with_pauses(steps),
        }],
    };
    let warnings = warnings(&other_hosts, &left_out, removed);
    Ok(Draft {
        configuration,
        warnings,
    })
}

fn target(entries: &[&Entry], options: &HarOptions) -> Result<Url, Invalid> {
    match &options.target {
        Some(text) => Url::parse(text).ok().filter(Url::has_host).ok_or_else(|| {
            Invalid::new(
                "options.target",
                "must be an address such as https://shop.example",
            )
        }),
        None => match entries.first() {
            Some(entry) => Ok(entry.url().clone()),
            None => Err(Invalid::new("log.entries", "must be at least one")),
        },
    }
}

/// The steps with the time between the end of each and the beginning of the next one.
fn with_pauses(steps: Vec<(Step, &Entry)>) -> Vec<Step> {
    let begins: Vec<f64> = steps
        .iter()
        .skip(1)
        .map(|(_, entry)| entry.begin())
        .collect();
    let pause = |end: f64, next: f64| -> Option<Think> {
        let seconds = (next - end).min(LONGEST_PAUSE);
        // To the tenth of a second: a person is no clock.
        let rounded = (seconds * 10.0).round() / 10.0;
        (seconds >= LEAST_PAUSE).then_some([rounded, rounded])
    };
    let nexts = begins.into_iter().map(Some).chain([None]);
    steps
        .into_iter()
        .zip(nexts)
        .map(|((mut step, entry), next)| {
            step.think = next.and_then(|next| pause(entry.end(), next));
            step
        })
        .collect()
}

fn warnings(
    other_hosts: &BTreeMap<String, usize>,
    left_out: &LeftOut,
    removed: Removed,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if !other_hosts.is_empty() {
        let requests: usize = other_hosts.values().sum();
        let names: Vec<&str> = other_hosts
            .keys()
            .take(NAMED_HOSTS)
            .map(String::as_str)
            .collect();
        let more = if other_hosts.len() > NAMED_HOSTS {
            " and others"
        } else {
            ""
        };
        warnings.push(format!(
            "Requests to other hosts that are left out: {requests} ({}{more}).",
            names.join(", ")
        ));
    }
    let counted = left_out.0.iter();
    warnings.extend(
        counted.map(|(reason, count)| format!("Requests that are left out: {count} ({reason}).")),
    );
    let names = removed.names();
    if !names.is_empty() {
        warnings.push(format!("Secrets are removed: {}.", names.join(", ")));
    }
    warnings
}
