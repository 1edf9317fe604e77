//! The rules of the service objectives are what `slokit` makes of `monitoring/slo`.
//!
//! `UPDATE=1 cargo test -p test-support --test support objectives` writes them.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Serialize;
use slokit::generate::{GenerateOptions, generate_all};
use slokit::spec::Spec;
use slokit::spec::alert_windows::AlertWindowsSet;
use slokit::{MwmbrConfig, Window};
use test_support::tools::workspace;

/// A window has this many scrapes at least, else its rates are made of two points.
const MIN_SCRAPES: u32 = 4;

/// At which pace objectives are held.
struct Profile {
    /// The directory of its rules, below `monitoring/prometheus/rules`.
    name: &'static str,
    period: Window,
    /// Its burn rates, below `monitoring/slo/windows`; the usual ones without.
    windows: Option<&'static str>,
    /// Of its Prometheus configuration.
    scrape_interval: Duration,
}

const PROFILES: [Profile; 2] = [
    Profile {
        name: "prod",
        period: Window::days(30),
        windows: None,
        scrape_interval: Duration::from_secs(15),
    },
    Profile {
        name: "lab",
        period: Window::hours(2),
        windows: Some("lab.yml"),
        scrape_interval: Duration::from_secs(2),
    },
];

impl Profile {
    fn rules(&self) -> PathBuf {
        monitoring("prometheus/rules")
            .join(self.name)
            .join("slo.yml")
    }

    fn options(&self) -> anyhow::Result<GenerateOptions> {
        let mut options = GenerateOptions::default();
        options.default_period = self.period;
        if let Some(file) = self.windows {
            options.alert_windows = AlertWindowsSet::load(monitoring("slo/windows").join(file))?;
        }
        Ok(options)
    }

    /// The burn rates that hold for all objectives: none has its own.
    fn burn_rates(&self) -> anyhow::Result<MwmbrConfig> {
        let options = self.options()?;
        let own = options.alert_windows.for_period(self.period).cloned();
        ensure!(
            own.is_some() || self.windows.is_none(),
            "no burn rates for a period of {}",
            self.period
        );
        Ok(own.unwrap_or(options.mwmbr))
    }
}

fn monitoring(path: &str) -> PathBuf {
    workspace().join("monitoring").join(path)
}

fn specs() -> anyhow::Result<Vec<Spec>> {
    Ok(Spec::from_dir(monitoring("slo"))?)
}

fn render(profile: &Profile, specs: &[Spec]) -> anyhow::Result<String> {
    let rules = generate_all(specs, &profile.options()?)?.to_prometheus_yaml()?;
    Ok(format!(
        "# Made by slokit from monitoring/slo; see crates/test-support/tests/support/objectives.rs.\n{rules}"
    ))
}

/// What is wrong with a specification. An alert fires above the burn rate times what may be bad;
/// where that is the whole or more, it never does.
fn faults(spec: &Spec, burn_rates: &MwmbrConfig) -> Vec<String> {
    let lints = spec.lint().into_iter();
    let mut found: Vec<String> = lints
        .map(|lint| format!("{}: {}", lint.code, lint.message))
        .collect();
    for objective in &spec.slos {
        let may_be_bad = 1.0 - objective.objective / 100.0;
        let never = burn_rates
            .windows
            .iter()
            .filter(|window| window.factor * may_be_bad >= 1.0);
        found.extend(never.map(|window| {
            let (name, factor) = (&objective.name, window.factor);
            format!("{name}: its alert at burn rate {factor} could never fire, raise the objective")
        }));
    }
    found
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "how a developer asks for the files to be written"
)]
fn the_rules_are_made_from_the_objectives() -> anyhow::Result<()> {
    let update = std::env::var("UPDATE").is_ok_and(|value| value == "1");
    for profile in &PROFILES {
        let expected = render(profile, &specs()?)?;
        if update {
            std::fs::write(profile.rules(), &expected)?;
        }
        let actual = std::fs::read_to_string(profile.rules()).unwrap_or_default();
        let path = profile.rules();
        assert!(
            expected == actual,
            "{} is not what monitoring/slo makes; run this test with UPDATE=1",
            path.display()
        );
    }
    Ok(())
}

/// An objective as the performance service lists it.
#[derive(Serialize)]
struct Listed {
    service: String,
    name: String,
    objective: f64,
    description: String,
}

/// The performance service lists the objectives.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "how a developer asks for the files to be written"
)]
fn the_list_of_objectives_is_made_from_them() -> anyhow::Result<()> {
    let path = workspace().join("crates/performance-service/src/criteria/objectives.json");
    let mut objectives = Vec::new();
    for spec in specs()? {
        objectives.extend(spec.slos.iter().map(|objective| Listed {
            service: spec.service.clone(),
            name: objective.name.clone(),
            objective: objective.objective,
            description: objective.description.trim().to_owned(),
        }));
    }
    let expected = format!("{}\n", serde_json::to_string_pretty(&objectives)?);
    if std::env::var("UPDATE").is_ok_and(|value| value == "1") {
        std::fs::write(&path, &expected)?;
    }
    let actual = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == actual,
        "{} is not what monitoring/slo says; run this test with UPDATE=1",
        path.display()
    );
    Ok(())
}

#[test]
fn every_objective_is_sound() -> anyhow::Result<()> {
    for profile in &PROFILES {
        for spec in specs()? {
            assert_eq!(faults(&spec, &profile.burn_rates()?), Vec::<String>::new());
        }
    }
    Ok(())
}

#[test]
fn an_objective_whose_alert_could_never_fire_is_refused() -> anyhow::Result<()> {
    let mut spec = specs()?.into_iter().next().context("no specification")?;
    let usual = MwmbrConfig::sre_default();
    for (objective, refused) in [(93.0, true), (93.05, true), (93.06, false), (99.9, false)] {
        spec.slos[0].objective = objective;
        let found = faults(&spec, &usual);
        let never = found.iter().any(|fault| fault.contains("could never fire"));
        assert_eq!(never, refused, "{objective}: {found:?}");
    }
    Ok(())
}

#[test]
fn every_window_has_enough_scrapes() -> anyhow::Result<()> {
    for profile in &PROFILES {
        for window in profile.burn_rates()?.lookback_windows() {
            let scrapes =
                window.as_duration().as_secs_f64() / profile.scrape_interval.as_secs_f64();
            assert!(
                scrapes >= f64::from(MIN_SCRAPES),
                "{window} of {}",
                profile.name
            );
        }
    }
    Ok(())
}
