//! Rules about crates: which may know which, and how many test binaries each
//! has.

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, TargetKind};
use test_support::tools::workspace;

use super::{Violation, assert_none};

/// Who depends on whom, as ARCHITECTURE.md says it. Every edge stands here and
/// exists; a new one is a decision that belongs into both places.
const EDGES: [(&str, &[&str]); 19] = [
    ("money", &[]),
    ("tenancy", &[]),
    ("domain", &[]),
    ("load-analysis", &[]),
    ("instrumentation", &[]),
    ("service-defaults", &["instrumentation"]),
    ("storage", &["domain", "instrumentation"]),
    ("llm", &["instrumentation", "service-defaults"]),
    ("llm-simulator", &["instrumentation", "service-defaults"]),
    (
        "bookstore-api",
        &[
            "domain",
            "storage",
            "llm",
            "service-defaults",
            "instrumentation",
        ],
    ),
    ("load-runner", &["load-analysis"]),
    ("script-generation", &["load-analysis"]),
    ("performance-store", &["load-analysis", "instrumentation"]),
    (
        "performance-service",
        &[
            "load-runner",
            "load-analysis",
            "script-generation",
            "performance-store",
            "service-defaults",
            "instrumentation",
        ],
    ),
    ("perf", &["load-analysis", "service-defaults", "chaos"]),
    ("fault-proxy", &[]),
    ("local-servers", &[]),
    (
        "chaos",
        &[
            "local-servers",
            "fault-proxy",
            "instrumentation",
            "service-defaults",
        ],
    ),
    (TEST_SUPPORT, &[]),
];

/// Words that the whole workspace speaks; any crate may use them.
const FREE: [&str; 2] = ["money", "tenancy"];

/// May use any crate, and any crate's tests may use it.
const TEST_SUPPORT: &str = "test-support";

struct Edge<'a> {
    from: &'a str,
    to: &'a str,
    in_tests_only: bool,
}

fn wrong_edges(members: &[&str], edges: &[Edge<'_>]) -> Vec<Violation> {
    let allowed_by = |from: &str| EDGES.iter().find(|(name, _)| *name == from).map(|it| it.1);
    let mut found = Vec::new();
    for member in members.iter().filter(|member| allowed_by(member).is_none()) {
        found.push(Violation::of(
            &manifest(member),
            "the crate is not in the table of edges",
        ));
    }
    for edge in edges {
        let listed = allowed_by(edge.from).is_some_and(|to| to.contains(&edge.to));
        let free = FREE.contains(&edge.to) || edge.from == TEST_SUPPORT;
        let for_tests = edge.in_tests_only && edge.to == TEST_SUPPORT;
        if !(listed || free || for_tests) {
            let rule = format!("must not depend on {}", edge.to);
            found.push(Violation::of(&manifest(edge.from), rule));
        }
    }
    found
}

/// Edges of the table that no crate has: the table would tell a story of its
/// own.
fn missing_edges(edges: &[Edge<'_>]) -> Vec<Violation> {
    let exists = |from: &str, to: &str| {
        edges
            .iter()
            .any(|edge| edge.from == from && edge.to == to && !edge.in_tests_only)
    };
    let listed = EDGES
        .iter()
        .flat_map(|(from, all)| all.iter().map(move |to| (*from, *to)));
    listed
        .filter(|(from, to)| !exists(from, to))
        .map(|(from, to)| {
            let rule = format!("the table says that it depends on {to}, but it does not");
            Violation::of(&manifest(from), rule)
        })
        .collect()
}

fn manifest(member: &str) -> String {
    format!("crates/{member}/Cargo.toml")
}

fn metadata() -> anyhow::Result<Metadata> {
    let manifest = workspace().join("Cargo.toml");
    Ok(MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .exec()?)
}

fn edges<'a>(metadata: &'a Metadata, members: &[&str]) -> Vec<Edge<'a>> {
    let dependencies = metadata.packages.iter().flat_map(|package| {
        package
            .dependencies
            .iter()
            .map(move |it| (&package.name, it))
    });
    dependencies
        .filter(|(_, dependency)| members.contains(&dependency.name.as_str()))
        .map(|(from, dependency)| Edge {
            from,
            to: &dependency.name,
            in_tests_only: dependency.kind == DependencyKind::Development,
        })
        .collect()
}

#[test]
fn crates_know_only_what_the_architecture_allows() -> anyhow::Result<()> {
    let metadata = metadata()?;
    let members: Vec<&str> = metadata
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    assert!(members.contains(&"bookstore-api"), "{members:?}");
    let edges = edges(&metadata, &members);
    assert_none([wrong_edges(&members, &edges), missing_edges(&edges)].concat());
    Ok(())
}

/// Linking dominates the time of a test run, so all tests of a crate are one
/// binary.
#[test]
fn a_crate_has_at_most_one_integration_test_binary() -> anyhow::Result<()> {
    let metadata = metadata()?;
    let mut found = Vec::new();
    for package in &metadata.packages {
        let tests = package
            .targets
            .iter()
            .filter(|target| target.kind.contains(&TargetKind::Test));
        let names: Vec<&str> = tests.map(|target| target.name.as_str()).collect();
        if names.len() > 1 {
            let rule = format!("{} test binaries, one is allowed: {names:?}", names.len());
            found.push(Violation::of(&manifest(&package.name), rule));
        }
    }
    assert_none(found);
    Ok(())
}

mod examples {
    use super::*;

    fn edge<'a>(from: &'a str, to: &'a str) -> Edge<'a> {
        Edge {
            from,
            to,
            in_tests_only: false,
        }
    }

    fn in_tests<'a>(from: &'a str, to: &'a str) -> Edge<'a> {
        Edge {
            from,
            to,
            in_tests_only: true,
        }
    }

    #[test]
    fn an_edge_outside_the_table_is_found() {
        let members = ["domain", "storage", "llm", "llm-simulator", TEST_SUPPORT];
        for bad in [
            edge("domain", "storage"),
            edge("llm", "domain"),
            edge("storage", TEST_SUPPORT),
            in_tests("llm", "llm-simulator"),
        ] {
            assert_eq!(wrong_edges(&members, &[bad]).len(), 1);
        }
        for good in [
            edge("storage", "domain"),
            edge("domain", "money"),
            edge(TEST_SUPPORT, "llm-simulator"),
            in_tests("storage", TEST_SUPPORT),
        ] {
            assert_eq!(wrong_edges(&members, &[good]), []);
        }
    }

    #[test]
    fn an_unknown_crate_and_an_edge_that_is_gone_are_found() {
        assert_eq!(wrong_edges(&["novelty"], &[]).len(), 1);
        let listed: usize = EDGES.iter().map(|(_, all)| all.len()).sum();
        assert_eq!(missing_edges(&[]).len(), listed);
        assert_eq!(
            missing_edges(&[edge("storage", "domain")]).len(),
            listed - 1
        );
        assert_eq!(
            missing_edges(&[in_tests("storage", "domain")]).len(),
            listed
        );
    }
}
