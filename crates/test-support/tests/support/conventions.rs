//! The catalogue of metrics, held against OpenTelemetry's conventions for generative AI.

use instrumentation::catalogue::{self, Metric};
use test_support::conventions::{self, Conventions};

/// What is neither of the conventions for generative AI nor of those for HTTP, databases and
/// processes carries the name of its owner.
const NAMESPACES: [&str; 9] = [
    "http.",
    "db.",
    "process.",
    "gen_ai.",
    "tokio.",
    "bookstore.",
    "performance.",
    "simulator.",
    "k6.",
];

/// How a metric differs from what the conventions say of it.
fn differences(metric: &Metric, conventions: &Conventions) -> Vec<String> {
    let name = metric.name;
    let mut found = Vec::new();
    if !NAMESPACES.iter().any(|start| name.starts_with(start)) {
        found.push(format!("{name} is nobody's"));
    }
    for label in metric.labels.iter().filter(|it| it.starts_with("gen_ai.")) {
        if !conventions.attributes.contains_key(*label) {
            found.push(format!(
                "{name} has {label}, which the conventions do not know"
            ));
        }
    }
    let Some(convention) = conventions.metrics.get(name) else {
        if name.starts_with("gen_ai.") {
            found.push(format!("the conventions do not know {name}"));
        }
        return found;
    };
    if metric.unit != convention.unit {
        found.push(format!(
            "{name} is in {}, not {}",
            metric.unit, convention.unit
        ));
    }
    // Longer answers than the conventions think of have bounds of their own behind the others.
    if !metric.buckets.starts_with(&convention.buckets) {
        found.push(format!("{name} has other bounds: {:?}", metric.buckets));
    }
    for label in metric.labels {
        if !convention.knows(label) {
            found.push(format!(
                "{name} has {label}, which is not one of its attributes"
            ));
        }
    }
    for label in &convention.required {
        if !metric.labels.contains(&label.as_str()) {
            found.push(format!("{name} lacks {label}"));
        }
    }
    found
}

#[test]
fn metrics_of_model_calls_have_the_conventions_names() -> anyhow::Result<()> {
    let conventions = conventions::gen_ai()?;
    assert!(conventions.sources.len() > 1 && conventions.date.len() == 10);
    let found: Vec<String> = catalogue::all()
        .flat_map(|metric| differences(metric, &conventions))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
    // All that the conventions have for calls to models and for their servers is there.
    for name in conventions.metrics.keys() {
        assert!(
            catalogue::all().any(|metric| metric.name == name),
            "{name} is missing"
        );
    }
    Ok(())
}

/// As the conventions have it.
fn sound() -> Metric {
    Metric {
        name: "gen_ai.client.token.usage",
        prometheus: "",
        kind: catalogue::Kind::Histogram,
        unit: "{token}",
        labels: &[
            "gen_ai.operation.name",
            "gen_ai.provider.name",
            "gen_ai.token.type",
        ],
        buckets: instrumentation::buckets::TOKENS,
        help: "",
    }
}

#[test]
fn every_difference_is_found() -> anyhow::Result<()> {
    let conventions = conventions::gen_ai()?;
    assert_eq!(differences(&sound(), &conventions), Vec::<String>::new());
    for (broken, found) in [
        (
            Metric {
                unit: "1",
                ..sound()
            },
            "is in 1",
        ),
        (
            Metric {
                buckets: &[1.0],
                ..sound()
            },
            "other bounds",
        ),
        (
            Metric {
                labels: &["gen_ai.operation.name"],
                ..sound()
            },
            "lacks gen_ai.token.type",
        ),
        (
            Metric {
                labels: &["simulated"],
                ..sound()
            },
            "is not one of its attributes",
        ),
        (
            Metric {
                labels: &["gen_ai.system"],
                ..sound()
            },
            "do not know",
        ),
        (
            Metric {
                name: "gen_ai.cost",
                ..sound()
            },
            "do not know gen_ai.cost",
        ),
        (
            Metric {
                name: "llm.cost",
                ..sound()
            },
            "is nobody's",
        ),
    ] {
        let all = differences(&broken, &conventions);
        assert!(all.iter().any(|it| it.contains(found)), "{found}: {all:?}");
    }
    Ok(())
}
