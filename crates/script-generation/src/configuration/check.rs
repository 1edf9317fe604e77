//! The rules of a configuration. Every script is written from one that passed them, wherever it
//! came from.

mod steps;

pub(crate) use self::steps::may_send;

use std::collections::BTreeSet;
use std::fmt::Display;

use load_analysis::threshold::Threshold;

use super::{
    Configuration, Journey, Load, MAX_JOURNEYS, MAX_ROWS, MAX_STAGES, MAX_STEPS, MAX_USERS, Model,
};
use crate::invalid::{Invalid, Place};
use crate::naming::{MAX_NAME, is_name, is_value_name};

/// The longest title, in characters: it is a heading.
const MAX_TITLE: usize = 200;

/// The longest text about a script, in characters.
const MAX_ABOUT: usize = 5_000;

/// Expressions of one script: a runner takes no more.
const MAX_THRESHOLDS: usize = 100;

/// The longest load: soak tests of hours, not of days.
const MAX_SECONDS: u64 = 4 * 60 * 60;

/// The highest rate, per second: more than one k6 sends.
const MAX_RATE: f64 = 10_000.0;

/// The longest think time, in seconds.
const MAX_THINK: f64 = 600.0;

/// The largest weight of a journey.
const MAX_WEIGHT: u32 = 10_000;

/// Collects what is refused.
struct Refusals(Vec<Invalid>);

impl Refusals {
    fn add(&mut self, place: impl Display, reason: impl Display) {
        self.0.push(Invalid::new(place, reason));
    }

    fn unless(&mut self, holds: bool, place: impl Display, reason: impl Display) {
        if !holds {
            self.add(place, reason);
        }
    }
}

pub(super) fn check(configuration: &Configuration) -> Result<(), Vec<Invalid>> {
    let mut refusals = Refusals(Vec::new());
    check_head(configuration, &mut refusals);
    check_load(&configuration.load, &mut refusals);
    check_rows(configuration, &mut refusals);
    check_thresholds(configuration, &mut refusals);
    check_journeys(configuration, &mut refusals);
    if refusals.0.is_empty() {
        Ok(())
    } else {
        Err(refusals.0)
    }
}

fn check_head(configuration: &Configuration, refusals: &mut Refusals) {
    let title = configuration.title.trim();
    let fits = !title.is_empty() && title.chars().count() <= MAX_TITLE;
    refusals.unless(
        fits,
        "title",
        format!("must have 1 to {MAX_TITLE} characters"),
    );
    let fits = configuration.about.chars().count() <= MAX_ABOUT;
    refusals.unless(
        fits,
        "about",
        format!("must have at most {MAX_ABOUT} characters"),
    );
    let share = (0.0..=1.0).contains(&configuration.trace_sample);
    refusals.unless(share, "traceSample", "must be 0 to 1");
}

fn check_load(load: &Load, refusals: &mut Refusals) {
    let place = Place::default().member("load");
    let stages = place.member("stages");
    let count = load.stages.len();
    let fits = (1..=MAX_STAGES).contains(&count);
    refusals.unless(fits, &stages, format!("must be 1 to {MAX_STAGES} stages"));
    let most = match load.model {
        Model::Open => MAX_RATE,
        Model::Closed => f64::from(MAX_USERS),
    };
    for (index, stage) in load.stages.iter().enumerate() {
        let place = stages.entry(index);
        refusals.unless(
            stage.seconds > 0,
            place.member("seconds"),
            "must be at least 1",
        );
        let to = place.member("to");
        refusals.unless(
            (0.0..=most).contains(&stage.to),
            &to,
            format!("must be 0 to {most}"),
        );
        let whole = load.model == Model::Open || stage.to.fract() == 0.0;
        refusals.unless(whole, to, "must be a whole number of users");
    }
    let total: u64 = load
        .stages
        .iter()
        .map(|stage| u64::from(stage.seconds))
        .sum();
    let reason = format!("must take at most {MAX_SECONDS} seconds together");
    refusals.unless(total <= MAX_SECONDS, &stages, reason);
    let some = load.stages.iter().any(|stage| stage.to > 0.0);
    refusals.unless(some, &stages, "must reach a load above 0");
    if let Some(users) = load.max_users {
        let place = place.member("maxUsers");
        let fits = (1..=MAX_USERS).contains(&users);
        refusals.unless(fits, &place, format!("must be 1 to {MAX_USERS}"));
        refusals.unless(
            load.model == Model::Open,
            place,
            "goes with an open load only",
        );
    }
}

fn check_rows(configuration: &Configuration, refusals: &mut Refusals) {
    let place = Place::default().member("rows");
    let rows = &configuration.rows;
    refusals.unless(
        rows.len() <= MAX_ROWS,
        &place,
        format!("must be at most {MAX_ROWS}"),
    );
    let names = |index: usize| -> BTreeSet<&String> { rows[index].keys().collect() };
    for (index, row) in rows.iter().enumerate() {
        let place = place.entry(index);
        refusals.unless(
            names(index) == names(0),
            &place,
            "must have the names of the first row",
        );
        for (name, value) in row {
            steps::check_value(&place, name, value, refusals);
        }
        if !refusals.0.is_empty() {
            // The next ten thousand rows have the same mistake.
            break;
        }
    }
}

fn check_thresholds(configuration: &Configuration, refusals: &mut Refusals) {
    let place = Place::default().member("thresholds");
    for (metric, expressions) in &configuration.thresholds {
        let place = place.member(metric);
        refusals.unless(!expressions.is_empty(), &place, "must have an expression");
        for (index, expression) in expressions.iter().enumerate() {
            if let Err(error) = Threshold::parse(metric, expression) {
                refusals.add(place.entry(index), error);
            }
        }
    }
    let own: usize = configuration.thresholds.values().map(Vec::len).sum();
    let steps = configuration
        .journeys
        .iter()
        .flat_map(|journey| &journey.steps);
    let of_steps: usize = steps
        .filter(|step| !step.thresholds.is_empty())
        .map(|step| step.thresholds.len() + 1)
        .sum();
    // The usual ones: requests, iterations, checks, failures, arrivals; and one per journey.
    let all = own + of_steps + configuration.journeys.len() + 6;
    let reason = format!("with those of the steps there are {all}, at most {MAX_THRESHOLDS} fit");
    refusals.unless(all <= MAX_THRESHOLDS, place, reason);
}

fn check_journeys(configuration: &Configuration, refusals: &mut Refusals) {
    let place = Place::default().member("journey");
    let journeys = &configuration.journeys;
    let fits = (1..=MAX_JOURNEYS).contains(&journeys.len());
    refusals.unless(fits, &place, format!("must be 1 to {MAX_JOURNEYS}"));
    let steps: usize = journeys.iter().map(|journey| journey.steps.len()).sum();
    let reason = format!("must have at most {MAX_STEPS} steps together");
    refusals.unless(steps <= MAX_STEPS, &place, reason);
    let mut names = BTreeSet::new();
    for (index, journey) in journeys.iter().enumerate() {
        let place = place.entry(index);
        let name = place.member("name");
        check_name(&journey.name, &name, refusals);
        refusals.unless(
            names.insert(&journey.name),
            name,
            "is the name of another journey",
        );
        check_journey(configuration, journey, &place, refusals);
    }
}

fn check_journey(
    configuration: &Configuration,
    journey: &Journey,
    place: &Place,
    refusals: &mut Refusals,
) {
    let fits = (1..=MAX_WEIGHT).contains(&journey.weight);
    refusals.unless(
        fits,
        place.member("weight"),
        format!("must be 1 to {MAX_WEIGHT}"),
    );
    steps::check_think(journey.think, place, refusals);
    let row = configuration.rows.first();
    let mut known: BTreeSet<&str> = row
        .into_iter()
        .flat_map(|row| row.keys())
        .map(String::as_str)
        .collect();
    for name in journey.make.keys() {
        let reason = "must be a letter, then letters, digits and _";
        refusals.unless(is_value_name(name), place.member("make"), reason);
        known.insert(name);
    }
    let steps = place.member("step");
    refusals.unless(!journey.steps.is_empty(), &steps, "must be at least one");
    for (index, step) in journey.steps.iter().enumerate() {
        steps::check_step(step, &known, &steps.entry(index), refusals);
        known.extend(step.save.keys().chain(step.find.keys()).map(String::as_str));
    }
}

fn check_name(name: &str, place: &Place, refusals: &mut Refusals) {
    let reason = format!("must be 1 to {MAX_NAME} letters, digits, spaces and . _ - / {{ }}");
    refusals.unless(is_name(name), place, reason);
}
