//! Which plans can be used, and what becomes of them.

use super::*;

const PLAN: &str = r#"
question = "What do users see while the store is down?"
seconds = 90
[stack]
mongo = true
[load]
script = "tests/load.js"
users = 4
[[fault]]
name = "store killed"
at = 20
lasts = 30
action = { kill = { process = "mongo" } }
[[expect]]
during = "store killed"
probe = "cached read"
status = [200]
"#;

#[test]
fn a_small_plan_keeps_its_order_and_its_time_for_recovery() {
    let plan = Plan::parse(PLAN).expect("a plan").small();
    let fault = &plan.faults[0];
    assert!((fault.at - 3.0).abs() < 1e-9, "{fault:?}");
    assert!((fault.lasts - 5.0).abs() < 1e-9, "{fault:?}");
    assert!(plan.seconds >= fault.ends() + plan.recovery.within);
}

#[test]
fn the_plans_that_come_with_it_can_be_used() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../k6/chaos");
    let mut seen = 0;
    for entry in std::fs::read_dir(directory).expect("the plans") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a plan");
        let plan = Plan::parse(&text).unwrap_or_else(|error| panic!("{path:?}: {error:#}"));
        plan.small()
            .check()
            .unwrap_or_else(|error| panic!("{path:?}: {error:#}"));
        seen += 1;
    }
    assert!(seen > 10, "{seen} plans");
}

#[test]
fn what_is_wrong_is_named() {
    for (from, to, word) in [
        ("seconds = 90", "seconds = 40", "must end before"),
        ("seconds = 90", "seconds = 1e9", "seconds"),
        ("users = 4", "", "users or preset"),
        ("mongo = true", "mongo = false", "mongo"),
        (
            "kill = { process = \"mongo\" }",
            "forget-name = {}",
            "stack.provider",
        ),
        (
            "kill = { process = \"mongo\" }",
            "clock = { process = \"api\", seconds = 1 }",
            "only performance",
        ),
        ("during = \"store killed\"", "during = \"x\"", "no fault"),
        ("cached read", "no such probe", "probe"),
        ("lasts = 30", "lats = 30", "lats"),
        ("status = [200]", "status = [20]", "status"),
        ("users = 4", "users = 4\nprobes = 0.0", "load.probes"),
        ("users = 4", "preset = \"chaos\"", "no fault beside it"),
    ] {
        let text = PLAN.replace(from, to);
        let error = format!("{:#}", Plan::parse(&text).expect_err(to));
        assert!(error.contains(word), "{to}: {error}");
    }
}

#[test]
fn a_counter_that_nobody_has_is_named() {
    let bound = |name: &str, labels: &str| {
        let bound = format!(
            "[[metric]]\nduring = \"always\"\nname = \"{name}\"\nlabels = {{ {labels} }}\n"
        );
        Plan::parse(&format!("{PLAN}{bound}")).map(drop)
    };
    let counter = "bookstore_cache_requests_total";
    bound(counter, "cache_level = \"l1\"").expect("a counter and its label");
    bound("gen_ai_client_operation_duration_seconds_count", "").expect("a histogram's");
    for (name, labels, word) in [
        (
            "bookstore_cash_requests_total",
            "",
            "bookstore_cash_requests_total",
        ),
        (counter, "level = \"l1\"", "level"),
        // What goes up and down does not grow.
        ("bookstore_cache_bytes", "", "bookstore_cache_bytes"),
    ] {
        let error = format!("{:#}", bound(name, labels).expect_err(name));
        assert!(error.contains(word), "{name}: {error}");
    }
}

#[test]
fn the_fewest_requests_come_from_the_plan() {
    let least = |load: &str| {
        let load: LoadPlan = toml::from_str(&format!("script = \"a.js\"\n{load}")).expect("a load");
        load.least(60.0)
    };
    for (load, wanted) in [
        ("users = 4", 48.0),
        ("users = 4\nrate = 20", 600.0),
        ("users = 4\nleast_requests = 7", 7.0),
        (
            "preset = \"chaos\"\nleast_requests = 2000\nscale = 0.1",
            20.0,
        ),
    ] {
        assert!(
            (least(load) - wanted).abs() < 1e-9,
            "{load}: {}",
            least(load)
        );
    }
}
