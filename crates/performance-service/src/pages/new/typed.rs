//! What was typed into the form, and the request that it stands for. Inputs have the names of
//! the request's fields, so that a refusal finds the input that it is about.

use std::collections::BTreeMap;

use service_defaults::problem::FieldError;

use crate::runs::request::{Expressions, StartBody, Word};

/// The variables of suites that the form asks for.
pub(super) const VARIABLES: [&str; 6] = ["BASE_URL", "MODEL", "SCALE", "PROVIDER", "COUNT", "SEED"];

/// The metrics whose usual thresholds have inputs of their own.
const DURATION: &str = "http_req_duration";
const FAILED: &str = "http_req_failed";

/// The inputs of these thresholds.
pub(super) const P95: &str = "p95";
pub(super) const P99: &str = "p99";
pub(super) const FAILED_PERCENT: &str = "failed";

/// The input of all other thresholds, one a line.
pub(super) const THRESHOLDS: &str = "options.thresholds";

/// Texts by the names of inputs; what is empty is absent.
#[derive(Debug, Clone, Default)]
pub(super) struct Typed(BTreeMap<String, String>);

impl Typed {
    /// Reads the body of a form; of an input that comes twice the last text counts.
    pub(super) fn read(body: &[u8]) -> Self {
        let mut typed = Self::default();
        for (name, text) in url::form_urlencoded::parse(body) {
            typed.set(&name, text.into_owned());
        }
        typed
    }

    /// What the form would have been filled with for a request. The grant for a production
    /// target and the confirmation of dollars are given anew each time.
    pub(super) fn of(request: &StartBody) -> Self {
        let mut typed = Self::default();
        let word = |word: &Option<Word>| word.as_ref().map(|Word(text)| text.clone());
        let options = &request.options;
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        for (name, text) in [
            ("testName", request.test_name.clone()),
            ("scenario", word(&request.scenario)),
            ("testScript", request.test_script.clone()),
            ("options.virtualUsers", number(options.virtual_users)),
            ("options.duration", options.duration.clone()),
            ("options.iterations", number(options.iterations)),
            ("options.processes", number(options.processes)),
            ("options.k6Version", options.k6_version.clone()),
            ("maxDollars", word(&request.max_dollars)),
        ] {
            typed.set(name, text.unwrap_or_default());
        }
        for (name, Word(text)) in &request.environment {
            typed.set(&format!("environment.{name}"), text.clone());
        }
        typed.set_thresholds(&options.thresholds);
        typed
    }

    /// The text of an input, empty when it has none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The request; whether it can be carried out is the planner's to say.
    ///
    /// # Errors
    /// Every text that should be a number, or a threshold, and is none.
    pub(super) fn request(&self) -> Result<StartBody, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut request = StartBody {
            test_name: self.text("testName"),
            scenario: self.text("scenario").map(Word),
            test_script: self.text("testScript"),
            confirm_production: self.text("confirmProduction"),
            max_dollars: self.text("maxDollars").map(Word),
            confirm_dollars: self.text("confirmDollars").map(Word),
            ..StartBody::default()
        };
        for name in VARIABLES {
            let text = self.text(&format!("environment.{name}"));
            request
                .environment
                .extend(text.map(|text| (name.to_owned(), Word(text))));
        }
        self.check_variables(&mut errors);
        let options = &mut request.options;
        options.virtual_users = self.count("options.virtualUsers", &mut errors);
        options.iterations = self.count("options.iterations", &mut errors);
        options.processes = self.count("options.processes", &mut errors);
        options.duration = self.text("options.duration");
        options.k6_version = self.text("options.k6Version");
        options.thresholds = self.thresholds(&mut errors);
        if errors.is_empty() {
            Ok(request)
        } else {
            Err(errors)
        }
    }

    fn set(&mut self, name: &str, text: String) {
        if !text.is_empty() {
            self.0.insert(name.to_owned(), text);
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        let text = self.get(name).trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn count(&self, name: &str, errors: &mut Vec<FieldError>) -> Option<u64> {
        let text = self.text(name)?;
        let count = text.parse().ok();
        if count.is_none() {
            errors.push(FieldError::new(name, "must be a whole number"));
        }
        count
    }

    /// The rules of our suites (`k6/lib/config.js`), which would end a run before its load.
    fn check_variables(&self, errors: &mut Vec<FieldError>) {
        for (name, least, most, reason) in [
            (
                "environment.SCALE",
                f64::MIN_POSITIVE,
                1.0,
                "must be a number above 0 up to 1",
            ),
            (
                "environment.COUNT",
                1.0,
                10_000.0,
                "must be a whole number from 1 to 10,000",
            ),
            (
                "environment.SEED",
                1.0,
                f64::from(u32::MAX),
                "must be a whole number above 0",
            ),
        ] {
            let Some(text) = self.text(name) else {
                continue;
            };
            let number: Option<f64> = text.parse().ok();
            let whole =
                name == "environment.SCALE" || text.bytes().all(|sign| sign.is_ascii_digit());
            if !whole || !number.is_some_and(|number| (least..=most).contains(&number)) {
                errors.push(FieldError::new(name, reason));
            }
        }
    }

    fn bound(&self, name: &str, errors: &mut Vec<FieldError>) -> Option<f64> {
        let text = self.text(name)?;
        let bound = text.parse().ok();
        let bound = bound.filter(|bound: &f64| bound.is_finite() && *bound > 0.0);
        if bound.is_none() {
            errors.push(FieldError::new(name, "must be a number above 0"));
        }
        bound
    }

    fn thresholds(&self, errors: &mut Vec<FieldError>) -> BTreeMap<String, Expressions> {
        let mut thresholds: BTreeMap<String, Expressions> = BTreeMap::new();
        let mut add = |metric: &str, expression: String| {
            let of_metric = thresholds.entry(metric.to_owned());
            let expressions = of_metric.or_insert_with(|| Expressions(Vec::new()));
            expressions.0.push(expression);
        };
        if let Some(bound) = self.bound(P95, errors) {
            add(DURATION, format!("p(95)<{bound}"));
        }
        if let Some(bound) = self.bound(P99, errors) {
            add(DURATION, format!("p(99)<{bound}"));
        }
        if let Some(percent) = self.bound(FAILED_PERCENT, errors) {
            add(FAILED, format!("rate<{}", share(percent)));
        }
        for line in self.get(THRESHOLDS).lines().map(str::trim) {
            // A metric's tags may hold a colon; an expression has none.
            match line.rsplit_once(':') {
                Some((metric, expression)) => add(metric.trim(), expression.trim().to_owned()),
                None if line.is_empty() => {}
                None => {
                    let reason = format!("{line:?} must be metric: expression");
                    errors.push(FieldError::new(THRESHOLDS, reason));
                }
            }
        }
        thresholds
    }

    fn set_thresholds(&mut self, thresholds: &BTreeMap<String, Expressions>) {
        let mut lines = Vec::new();
        for (metric, Expressions(expressions)) in thresholds {
            for expression in expressions {
                let after = |begin| expression.strip_prefix(begin).and_then(plain);
                let own = match metric.as_str() {
                    DURATION => after("p(95)<")
                        .map(|bound| (P95, bound))
                        .or_else(|| Some((P99, after("p(99)<")?))),
                    FAILED => after("rate<").map(|share| (FAILED_PERCENT, share * 100.0)),
                    _ => None,
                };
                match own {
                    Some((name, bound)) if self.get(name).is_empty() => {
                        self.set(name, decimal(bound));
                    }
                    _ => lines.push(format!("{metric}: {expression}")),
                }
            }
        }
        self.set(THRESHOLDS, lines.join("\n"));
    }
}

fn plain(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// Percent as a share of 1, in decimals.
fn share(percent: f64) -> String {
    decimal(percent / 100.0)
}

/// A number without the last digits of binary fractions.
fn decimal(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(pairs: &[(&str, &str)]) -> Typed {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        Typed::read(body.extend_pairs(pairs).finish().as_bytes())
    }

    #[test]
    fn a_form_of_a_request_makes_the_same_request() {
        let form = typed(&[
            ("testName", "nightly <b>"),
            ("scenario", "Smoke"),
            ("testScript", "tests/smoke.js"),
            ("options.virtualUsers", " 3 "),
            ("options.duration", "90s"),
            ("environment.PROVIDER", "claude"),
            ("environment.OTHER", "is not asked for"),
            ("p95", "500"),
            ("p99", "812.5"),
            ("failed", "0.7"),
            (
                "options.thresholds",
                "http_req_duration{name:a}: p(95)<9\n\nchecks: rate>0.9",
            ),
        ]);
        let request = form.request().unwrap();
        assert!(!request.environment.contains_key("OTHER"));
        let thresholds = &request.options.thresholds;
        assert_eq!(
            thresholds["http_req_duration"].0,
            ["p(95)<500", "p(99)<812.5"]
        );
        assert_eq!(thresholds["http_req_failed"].0, ["rate<0.007"]);
        assert_eq!(thresholds["http_req_duration{name:a}"].0, ["p(95)<9"]);
        let again = Typed::of(&request);
        assert_eq!((again.get("p95"), again.get("failed")), ("500", "0.7"));
        let json = |request: &StartBody| serde_json::to_string(request).unwrap();
        assert_eq!(json(&again.request().unwrap()), json(&request));
    }

    #[test]
    fn every_text_that_is_no_number_is_named() {
        let form = typed(&[
            ("options.virtualUsers", "many"),
            ("options.processes", "-1"),
            ("environment.SCALE", "2"),
            ("environment.SEED", "1.5"),
            ("p95", "NaN"),
            ("failed", "0"),
            ("options.thresholds", "p(95)<9"),
        ]);
        let errors = form.request().unwrap_err();
        let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        let expected = [
            "environment.SCALE",
            "environment.SEED",
            "options.virtualUsers",
            "options.processes",
            "p95",
            "failed",
            THRESHOLDS,
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn a_grant_is_not_kept() {
        let request = StartBody {
            confirm_production: Some("shop".to_owned()),
            confirm_dollars: Some(Word("7".to_owned())),
            ..StartBody::default()
        };
        for name in ["confirmProduction", "confirmDollars"] {
            assert_eq!(Typed::of(&request).get(name), "");
        }
    }
}
