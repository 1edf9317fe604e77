//! The inputs of the form: what each asks for, what stands in it, what is wrong with it.

use service_defaults::problem::FieldError;

use super::typed::{FAILED_PERCENT, P95, P99, THRESHOLDS, Typed};
use crate::scenarios::Scenario;

/// Providers by their names in the API under test.
const PROVIDERS: [&str; 5] = ["claude", "openai", "ollama", "bedrock", "lmstudio"];

/// What there is to choose from.
pub(super) struct Choices {
    pub(super) scripts: Vec<String>,
    /// Addresses, and how each is called.
    pub(super) targets: Vec<(String, String)>,
    /// Whether some of them ask for a grant.
    pub(super) production: bool,
}

/// Inputs under one heading.
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) inputs: Vec<Input>,
}

/// One input.
pub(super) struct Input {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    pub(super) control: Control,
    pub(super) errors: Vec<String>,
}

/// How an input is filled.
pub(super) enum Control {
    /// One line.
    Text(String),
    /// One of these: value, words, and whether it is chosen.
    Choice(Vec<(String, String, bool)>),
    /// Several lines.
    Lines(String),
}

impl Input {
    /// Whether a refusal of this field stands at this input.
    pub(super) fn is_about(&self, field: &str) -> bool {
        field == self.name || (self.name == THRESHOLDS && field.starts_with(THRESHOLDS))
    }
}

struct Form<'a> {
    typed: &'a Typed,
    errors: &'a [FieldError],
}

/// All inputs, with what was typed and what is wrong with it.
pub(super) fn groups(typed: &Typed, choices: &Choices, errors: &[FieldError]) -> Vec<Group> {
    let form = Form { typed, errors };
    vec![
        Group {
            title: "What",
            inputs: form.what(choices),
        },
        Group {
            title: "Load",
            inputs: form.load(),
        },
        Group {
            title: "Target",
            inputs: form.target(choices),
        },
        Group {
            title: "Limits",
            inputs: form.limits(),
        },
    ]
}

impl Form<'_> {
    fn what(&self, choices: &Choices) -> Vec<Input> {
        let scripts = choices
            .scripts
            .iter()
            .map(|name| (name.clone(), name.clone()));
        let scenarios = Scenario::ALL.map(|one| (one.name().to_owned(), one.name().to_owned()));
        vec![
            self.choice("testScript", ("Suite", "", "by the scenario"), scripts),
            self.choice("scenario", ("Scenario", "", "Load"), scenarios),
            self.text(
                "testName",
                "Name of the test",
                "runs of one name are compared",
            ),
            self.choice(
                "options.k6Version",
                ("k6", "", "v2"),
                [("v1".to_owned(), "v1".to_owned())],
            ),
        ]
    }

    fn load(&self) -> Vec<Input> {
        let models = [
            ("closed", "closed: users who wait for answers"),
            ("open", "open: arrivals at a rate"),
        ];
        vec![
            self.text(
                "options.virtualUsers",
                "Virtual users",
                "empty: as the suite has it",
            ),
            self.text("options.duration", "Duration", "30s, 5m, 1h30m"),
            self.text("options.iterations", "Iterations", "shared by all users"),
            self.choice(
                "environment.MODEL",
                (
                    "Model",
                    "open goes without users, duration and iterations: the scenario has the rate",
                    "as the suite has it",
                ),
                models.map(|(value, words)| (value.to_owned(), words.to_owned())),
            ),
            self.text(
                "environment.SCALE",
                "Scale",
                "0 to 1, of the suite's time and load",
            ),
            self.text(
                "options.processes",
                "k6 processes",
                "1 unless you know better",
            ),
        ]
    }

    fn target(&self, choices: &Choices) -> Vec<Input> {
        let targets = choices.targets.iter().cloned();
        let providers = PROVIDERS.map(|name| (name.to_owned(), name.to_owned()));
        let mut inputs = vec![
            self.choice(
                "environment.BASE_URL",
                ("Target", "", "local, or the first"),
                targets,
            ),
            self.choice(
                "environment.PROVIDER",
                ("Model provider", "AI suites only", "the target's default"),
                providers,
            ),
            self.text(
                "environment.COUNT",
                "Books",
                "1 to 10,000, put into the target before",
            ),
            self.text("environment.SEED", "Seed", "of the data and of choices"),
        ];
        if choices.production {
            inputs.push(self.text(
                "confirmProduction",
                "Grant",
                "the name of a target in production, once more",
            ));
        }
        inputs
    }

    fn limits(&self) -> Vec<Input> {
        vec![
            self.text(P95, "p95 below, ms", "of all requests"),
            self.text(P99, "p99 below, ms", "of all requests"),
            self.text(FAILED_PERCENT, "Failed below, %", "of all requests"),
            self.text(
                "maxDollars",
                "Stop at, $",
                "real and simulated ones each by itself",
            ),
            self.text(
                "confirmDollars",
                "Confirm, $",
                "real dollars that may be spent, where the forecast asks for it",
            ),
            self.input(
                THRESHOLDS,
                (
                    "Further thresholds",
                    "one a line, such as checks: rate>0.99",
                ),
                Control::Lines(self.typed.get(THRESHOLDS).to_owned()),
            ),
        ]
    }

    fn text(&self, name: &'static str, label: &'static str, hint: &'static str) -> Input {
        let text = Control::Text(self.typed.get(name).to_owned());
        self.input(name, (label, hint), text)
    }

    /// A choice whose first option, the usual one, is no text at all. What was typed and is not
    /// among the options stays, so that its refusal can be understood.
    fn choice(
        &self,
        name: &'static str,
        (label, hint, usual): (&'static str, &'static str, &str),
        options: impl IntoIterator<Item = (String, String)>,
    ) -> Input {
        let typed = self.typed.get(name);
        let same = |value: &str| {
            value.eq_ignore_ascii_case(typed)
                || (!typed.is_empty() && value.trim_end_matches('/') == typed.trim_end_matches('/'))
        };
        let mut all = vec![(String::new(), usual.to_owned(), typed.is_empty())];
        let options = options.into_iter();
        all.extend(options.map(|(value, words)| {
            let chosen = same(&value);
            (value, words, chosen)
        }));
        if !all.iter().any(|(_, _, chosen)| *chosen) {
            all.push((typed.to_owned(), typed.to_owned(), true));
        }
        self.input(name, (label, hint), Control::Choice(all))
    }

    fn input(
        &self,
        name: &'static str,
        (label, hint): (&'static str, &'static str),
        control: Control,
    ) -> Input {
        let mut input = Input {
            name,
            label,
            hint,
            control,
            errors: Vec::new(),
        };
        let about = self
            .errors
            .iter()
            .filter(|error| input.is_about(&error.field));
        input.errors = about.map(|error| reason(name, error)).collect();
        input
    }
}

/// A threshold's own field names its metric, which the input does not.
fn reason(name: &str, error: &FieldError) -> String {
    match error.field.strip_prefix(name) {
        Some(rest) if !rest.is_empty() => {
            format!("{}: {}", rest.trim_start_matches('.'), error.reason)
        }
        _ => error.reason.clone(),
    }
}
