//! What the page shows, as text.

use askama::Template;
use jiff::tz::TimeZone;

use super::presets::{self, Preset};
use crate::{
    accounts::Lines,
    engine::Engine,
    journal::{CallFilter, CallRecord, Outcome},
    profile::{BUILT_IN, Profile},
};

/// Calls on the page; all of them are in the JSON list.
const SHOWN: usize = 30;
/// Pico-dollars in a micro-dollar, the last digit that is shown.
const MICRO: u64 = 1_000_000;
const MICROS_IN_DOLLAR: u64 = 1_000_000;

#[derive(Template)]
#[template(path = "home.html")]
pub(super) struct Home {
    tiles: [Tile; 6],
    profile: String,
    pace: String,
    models: Vec<ModelPace>,
    profiles: [&'static str; BUILT_IN.len()],
    rules: Vec<Rule>,
    presets: [Preset; presets::ALL.len()],
    calls: Vec<Row>,
}

struct Tile {
    name: &'static str,
    value: String,
}

struct ModelPace {
    pattern: String,
    pace: String,
}

struct Rule {
    text: String,
    hits: u64,
}

struct Row {
    number: u64,
    arrived: String,
    dialect: &'static str,
    model: String,
    streamed: bool,
    outcome: String,
    input: u64,
    cached: u64,
    output: u64,
    first_token: String,
    took: String,
    cost: String,
}

impl Home {
    pub(super) fn of(engine: &Engine) -> Self {
        let settings = engine.settings();
        let profile = settings.profiles.default_profile();
        let models = settings
            .profiles
            .models()
            .map(|(pattern, profile)| ModelPace {
                pattern: pattern.to_owned(),
                pace: pace(profile),
            });
        let rules = settings.faults.hits().map(|(rule, hits)| Rule {
            text: serde_json::to_string(rule).unwrap_or_default(),
            hits,
        });
        let mut calls = engine.last_calls(&CallFilter::default(), SHOWN);
        calls.reverse();
        Self {
            tiles: tiles(engine),
            profile: profile.text().name.clone(),
            pace: pace(profile),
            models: models.collect(),
            profiles: BUILT_IN,
            rules: rules.collect(),
            presets: presets::ALL,
            calls: calls.iter().map(row).collect(),
        }
    }
}

fn tiles(engine: &Engine) -> [Tile; 6] {
    let none = Lines {
        offset: 0,
        limit: 0,
    };
    let bill = engine.invoice(&CallFilter::default(), &none).total;
    let used = engine.reading().total;
    let tile = |name, value: u64| Tile {
        name,
        value: value.to_string(),
    };
    [
        tile("Calls", used.calls),
        tile("Completed", used.completed),
        tile("Cancelled", used.cancelled),
        tile("Broken", used.broken),
        tile("Refused", used.refused),
        Tile {
            name: "Invoice, USD",
            value: dollars(bill.pico_usd),
        },
    ]
}

fn pace(profile: &Profile) -> String {
    let text = profile.text();
    let (first, gap) = (text.time_to_first_token_ms, text.inter_token_gap_ms);
    let load = text.load.map_or(String::new(), |load| {
        format!(
            ", {} at once, {} may wait, up to {} times slower",
            load.slots, load.queue, load.slowdown
        )
    });
    format!(
        "{}: first token after {} ms (p95 {} ms), then every {} ms (p95 {} ms){load}",
        text.name, first.p50, first.p95, gap.p50, gap.p95
    )
}

fn row(call: &CallRecord) -> Row {
    Row {
        number: call.number,
        arrived: clock(call),
        dialect: call.dialect.as_str(),
        model: call.model.clone(),
        streamed: call.streamed,
        outcome: outcome(call),
        input: call.input_tokens,
        cached: call.cache_read_tokens,
        output: call.output_tokens,
        first_token: call.time_to_first_token_ms.map(rounded).unwrap_or_default(),
        took: rounded(call.duration_ms),
        cost: call.pico_usd().map_or("no price".to_owned(), dollars),
    }
}

fn clock(call: &CallRecord) -> String {
    let at = call.arrived_at.to_zoned(TimeZone::UTC);
    format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
}

fn outcome(call: &CallRecord) -> String {
    let ended = match call.outcome {
        Outcome::Completed => "completed".to_owned(),
        Outcome::Cancelled => "cancelled".to_owned(),
        Outcome::Broken => "broken".to_owned(),
        Outcome::Refused => format!("refused {}", call.status),
    };
    match call.fault {
        Some(fault) => format!("{ended}, by {fault}"),
        None => ended,
    }
}

fn rounded(milliseconds: f64) -> String {
    format!("{milliseconds:.1}")
}

fn dollars(pico: u64) -> String {
    let micro = pico / MICRO;
    format!(
        "{}.{:06}",
        micro / MICROS_IN_DOLLAR,
        micro % MICROS_IN_DOLLAR
    )
}

#[cfg(test)]
mod tests {
    use super::dollars;

    #[test]
    fn money_is_shown_to_the_micro_dollar() {
        assert_eq!(dollars(0), "0.000000");
        assert_eq!(dollars(1_234_567_890_123), "1.234567");
        assert_eq!(dollars(999_999), "0.000000");
    }
}
