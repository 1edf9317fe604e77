//! What a client asks for when it starts a run, and the same as it is stored.

use std::collections::BTreeMap;

use load_runner::options::RequestedOptions;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::scenarios::Scenario;

/// The body of `POST /start`. Everything may be left out. Unknown members are ignored.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct StartBody {
    /// The name of the test; made from the scenario when absent.
    pub(crate) test_name: Option<String>,
    /// A scenario's name in any case, or its number.
    #[schema(value_type = Option<String>, example = "Smoke")]
    pub(crate) scenario: Option<Word>,
    /// A script of the `k6` directory, such as `tests/smoke.js`; by the scenario when absent.
    pub(crate) test_script: Option<String>,
    /// `BASE_URL SCENARIO MODEL SCALE PROVIDER COUNT SEED`, all optional.
    #[schema(value_type = BTreeMap<String, String>)]
    pub(crate) environment: BTreeMap<String, Word>,
    /// What is asked of k6 beyond the script.
    pub(crate) options: OptionsBody,
    /// Another place for `options.virtualUsers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vus: Option<u64>,
    /// Another place for `options.duration`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration: Option<String>,
    /// Who started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_email: Option<String>,
    /// The name of the target once more, which a production target asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) confirm_production: Option<String>,
    /// Dollars after which the run is stopped, of real ones and of simulated ones, each by itself.
    /// Without it the service has a cap on real ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "0.25")]
    pub(crate) max_dollars: Option<Word>,
    /// Real dollars that may be spent, which a run needs that is forecast to spend many.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "7.40")]
    pub(crate) confirm_dollars: Option<Word>,
    /// Which build of the target is measured, such as its commit; 1 to 64 letters, digits and
    /// `. _ - + /`. Steps over runs name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "4daffb7")]
    pub(crate) revision: Option<String>,
    /// What asks on the caller's behalf: `gate` for a pipeline's gate, `webhook` for one that a code
    /// host sends. Absent for the caller alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trigger: Option<String>,
    /// The tenant's name as the client calls it. It is a label: whose run it is follows from
    /// who asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant_name: Option<String>,
    /// See [`OnlyAsObject`].
    #[serde(flatten, skip_serializing)]
    #[schema(ignore)]
    pub(crate) _only_as_object: OnlyAsObject,
}

/// Options; what is absent stays as the script has it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct OptionsBody {
    /// Virtual users, 1 to 1,000. Replaces the script's scenarios and stages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) virtual_users: Option<u64>,
    /// Duration such as `90s`, `1m30s`; at most `4h`. Replaces scenarios and stages too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration: Option<String>,
    /// Iterations shared by all virtual users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) iterations: Option<u64>,
    /// Arrivals per second: iterations that begin at this rate for `duration`, whether the ones
    /// before have ended or not (the open model). `virtualUsers` are the most at once then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rate: Option<f64>,
    /// k6 expressions by metric, such as `{"http_req_duration": ["p(95)<500"]}`; they come
    /// in the place of the script's thresholds on the same metric.
    #[schema(value_type = BTreeMap<String, Vec<String>>)]
    pub(crate) thresholds: BTreeMap<String, Expressions>,
    /// Accept any certificate of the target.
    #[serde(
        rename = "insecureSkipTLSVerify",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) insecure_skip_tls_verify: Option<bool>,
    /// What k6 writes its samples as: `json`, or `csv`, which costs it a quarter of the time and has
    /// six digits after the point. When absent `csv` above 3,000 planned or forecast requests a
    /// second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output_format: Option<String>,
    /// k6 processes that share the load, 1 to the processors of the machine. Each takes its part
    /// of every scenario; setup is run once, and thresholds are judged over all together at the
    /// end, so that none of them aborts the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) processes: Option<u64>,
    /// A time such as `30s` at the begin of the load that is measured and not judged; ramps are
    /// not judged anyway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) warm_up: Option<String>,
    /// Gives the script `LLM_RELAY_URL`: a relay to the target that stamps streamed replies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) relay: Option<bool>,
    /// `process`, `processes` (one k6 per processor) or `container`; by setting when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) runner: Option<String>,
    /// `v2` (the default) or `v1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) k6_version: Option<String>,
    /// See [`OnlyAsObject`].
    #[serde(flatten, skip_serializing)]
    #[schema(ignore)]
    pub(crate) _only_as_object: OnlyAsObject,
}

/// Serde reads a struct from an array as well, member by member. A struct with this flattened
/// into it comes from an object only; unknown members are still ignored.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct OnlyAsObject {}

/// A text that may come as a number or a truth value as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Word(pub(crate) String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a text, a number or a truth value")]
        enum Form {
            Text(String),
            Number(serde_json::Number),
            Truth(bool),
        }
        Ok(Self(match Form::deserialize(deserializer)? {
            Form::Text(text) => text,
            Form::Number(number) => number.to_string(),
            Form::Truth(truth) => truth.to_string(),
        }))
    }
}

/// One threshold expression, or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Expressions(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for Expressions {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "an expression such as \"p(95)<500\", or an array of expressions"
        )]
        enum Form {
            One(String),
            Many(Vec<String>),
        }
        Ok(Self(match Form::deserialize(deserializer)? {
            Form::One(expression) => vec![expression],
            Form::Many(expressions) => expressions,
        }))
    }
}

/// Limits of a preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// 95 of 100 requests are faster, in milliseconds.
    pub(crate) p95_ms: u32,
    /// 99 of 100 requests are faster, in milliseconds.
    pub(crate) p99_ms: u32,
    /// The share of failed requests stays below, as k6 writes it.
    pub(crate) failed_below: &'static str,
}

impl StartBody {
    /// What a quick start of a scenario asks for.
    #[must_use]
    pub(crate) fn quick_start(scenario: Scenario) -> Self {
        let preset = scenario.preset();
        let thresholds = preset.limits.map(thresholds).unwrap_or_default();
        Self {
            scenario: Some(Word(scenario.name().to_owned())),
            options: OptionsBody {
                virtual_users: Some(u64::from(preset.virtual_users)),
                duration: Some(preset.duration.to_owned()),
                thresholds,
                ..OptionsBody::default()
            },
            ..Self::default()
        }
    }

    /// The same request with one place for each thing.
    #[must_use]
    pub(crate) fn canonical(mut self) -> Self {
        let options = &mut self.options;
        options.virtual_users = options.virtual_users.or(self.vus.take());
        options.duration = options.duration.take().or(self.duration.take());
        for text in [
            &mut self.revision,
            &mut self.test_name,
            &mut self.test_script,
            &mut options.duration,
        ] {
            if text.as_deref().is_some_and(|text| text.trim().is_empty()) {
                *text = None;
            }
        }
        self
    }
}

impl OptionsBody {
    /// The options as `load-runner` checks them.
    #[must_use]
    pub(crate) fn requested(&self) -> RequestedOptions {
        RequestedOptions {
            virtual_users: self.virtual_users,
            duration: self.duration.clone(),
            iterations: self.iterations,
            rate: self.rate,
            thresholds: self
                .thresholds
                .iter()
                .map(|(metric, expressions)| (metric.clone(), expressions.0.clone()))
                .collect(),
            insecure_skip_tls_verify: self.insecure_skip_tls_verify,
            output_format: self.output_format.clone(),
            processes: self.processes,
            warm_up: self.warm_up.clone(),
            runner: self.runner.clone(),
        }
    }
}

fn thresholds(limits: Limits) -> BTreeMap<String, Expressions> {
    BTreeMap::from([
        (
            "http_req_duration".to_owned(),
            Expressions(vec![
                format!("p(95)<{}", limits.p95_ms),
                format!("p(99)<{}", limits.p99_ms),
            ]),
        ),
        (
            "http_req_failed".to_owned(),
            Expressions(vec![format!("rate<{}", limits.failed_below)]),
        ),
    ])
}
