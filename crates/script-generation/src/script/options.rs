//! k6's options: the load as one scenario, the thresholds, the tags.

use std::fmt::Write as _;

use super::number;
use crate::configuration::{Configuration, Load, MAX_USERS, Model};
use crate::text::{literal, member};

/// Iterations still running at the end of a ramp get this long.
const GRACE: &str = "30s";

/// A reply within the limits comes within a second; users of an open load are counted so.
const SECONDS_PER_STEP: f64 = 1.0;

/// Arrivals that may find no free user before the run is not the asked one any more.
const DROPPED_SHARE: f64 = 0.001;

/// p99 and count are missing in k6's own list.
const TREND_STATISTICS: &str =
    "['avg', 'min', 'med', 'max', 'p(50)', 'p(90)', 'p(95)', 'p(99)', 'count']";

/// Without url, proto, ip and the rest: each makes every sample larger.
const SYSTEM_TAGS: &str =
    "['scenario', 'name', 'method', 'status', 'expected_response', 'error_code', 'check', 'group']";

pub(super) fn write(configuration: &Configuration) -> String {
    let mut code = String::from("export const options = {\n  scenarios: {\n    journeys: {\n");
    code += &scenario(configuration);
    code += "    },\n  },\n  thresholds: {\n";
    for (metric, expressions) in thresholds(configuration) {
        let list: Vec<String> = expressions.iter().map(|text| literal(text)).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(code, "    {}: [{}],", member(&metric), list.join(", "));
    }
    code += "  },\n";
    let _ = write!(
        code,
        "  tags: {{ test_id: TEST_ID }},\n  \
         summaryTrendStats: {TREND_STATISTICS},\n  \
         systemTags: {SYSTEM_TAGS},\n  \
         userAgent: 'bookstore-k6',\n}};\n\n"
    );
    code
}

fn scenario(configuration: &Configuration) -> String {
    let load = &configuration.load;
    let per = match load.model {
        Model::Closed => 1.0,
        // k6 takes whole numbers only; a rate per minute may be a fraction per second.
        Model::Open => 60.0,
    };
    let stages: Vec<String> = load
        .stages
        .iter()
        .map(|stage| format!("[{}, {}]", stage.seconds, number((stage.to * per).round())))
        .collect();
    let stages = format!("      stages: stages([{}]),\n", stages.join(", "));
    match load.model {
        Model::Closed => format!(
            "      executor: 'ramping-vus',\n      startVUs: 1,\n      \
             gracefulRampDown: '{GRACE}',\n{stages}"
        ),
        Model::Open => {
            let users = users(configuration);
            format!(
                "      executor: 'ramping-arrival-rate',\n      startRate: 0,\n      \
                 timeUnit: '1m',\n      preAllocatedVUs: {},\n      maxVUs: {users},\n{stages}",
                users.div_ceil(2)
            )
        }
    }
}

/// The most users at once: twice what the peak needs if the longest journey is walked and each
/// step takes [`SECONDS_PER_STEP`] (Little's law).
fn users(configuration: &Configuration) -> u32 {
    let peak = configuration
        .load
        .stages
        .iter()
        .map(|stage| stage.to)
        .fold(0.0, f64::max);
    let seconds = |journey: &crate::configuration::Journey| -> f64 {
        let steps = journey.steps.iter();
        steps
            .map(|step| SECONDS_PER_STEP + journey.think_behind(step).map_or(0.0, |[_, to]| to))
            .sum()
    };
    let longest = configuration
        .journeys
        .iter()
        .map(seconds)
        .fold(0.0, f64::max);
    let needed = (2.0 * peak * longest)
        .ceil()
        .clamp(2.0, f64::from(MAX_USERS));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole and clamped to MAX_USERS"
    )]
    let needed = needed as u32;
    configuration.load.max_users.unwrap_or(needed)
}

/// The usual ones, those of the configuration in their place, and those of the steps. k6 passes
/// a trend or rate without samples, so what is judged must also have been asked.
fn thresholds(configuration: &Configuration) -> Vec<(String, Vec<String>)> {
    let mut list: Vec<(String, Vec<String>)> = Vec::new();
    let mut put = |metric: String, expressions: Vec<String>| match list
        .iter_mut()
        .find(|(known, _)| *known == metric)
    {
        Some((_, known)) => *known = expressions,
        None => list.push((metric, expressions)),
    };
    let some = || vec!["count>0".to_owned()];
    put("http_reqs".to_owned(), some());
    put("http_reqs{scenario:journeys}".to_owned(), some());
    for journey in &configuration.journeys {
        put(format!("http_reqs{{journey:{}}}", journey.name), some());
    }
    put("iterations".to_owned(), some());
    put("checks".to_owned(), vec!["rate>0.99".to_owned()]);
    put("http_req_failed".to_owned(), vec!["rate<0.01".to_owned()]);
    if configuration.load.model == Model::Open {
        let most = format!("count<={}", number(dropped(&configuration.load)));
        put("dropped_iterations".to_owned(), vec![most]);
    }
    for step in configuration
        .journeys
        .iter()
        .flat_map(|journey| &journey.steps)
    {
        if !step.thresholds.is_empty() {
            let name = step.name();
            put(format!("http_reqs{{name:{name}}}"), some());
            put(
                format!("http_req_duration{{name:{name}}}"),
                step.thresholds.clone(),
            );
        }
    }
    for (metric, expressions) in &configuration.thresholds {
        put(metric.clone(), expressions.clone());
    }
    list
}

/// Arrivals that may be dropped, at least one.
fn dropped(load: &Load) -> f64 {
    let mut before = 0.0;
    let mut arrivals = 0.0;
    for stage in &load.stages {
        arrivals += f64::from(stage.seconds) * f64::midpoint(before, stage.to);
        before = stage.to;
    }
    (arrivals * DROPPED_SHARE).floor().max(1.0)
}
