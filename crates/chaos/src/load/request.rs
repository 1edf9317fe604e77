//! What the performance service is asked for.

use serde_json::{Value, json};

use crate::machine::Bound;
use crate::plan::LoadPlan;

/// The scale that the machine carries, if that is less than what the plan asks for.
pub(super) fn bounded(plan: &LoadPlan, bound: Bound) -> Option<(f64, String)> {
    let asked = plan.most_users?;
    let scale = plan.scale.unwrap_or(1.0);
    let share = real(bound.users) / f64::from(asked).max(1.0);
    if scale <= share {
        return None;
    }
    let Bound { users, of } = bound;
    let note = format!(
        "this machine has {of} for {users} of {asked} users: SCALE is {share:.2}, not {scale:.2}"
    );
    Some((share, note))
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn real(count: u64) -> f64 {
    count as f64
}

/// The run that a plan asks for.
pub(super) fn request(name: &str, plan: &LoadPlan, seconds: f64) -> Value {
    let mut options = plan.options.clone();
    let mut environment = json!({});
    if let Some(preset) = &plan.preset {
        environment["SCENARIO"] = json!(preset);
        environment["SCALE"] = json!(plan.scale.unwrap_or(1.0).to_string());
    } else {
        options.insert("virtualUsers".to_owned(), json!(plan.users));
        options.insert("duration".to_owned(), json!(format!("{seconds:.0}s")));
        if let Some(rate) = plan.rate {
            options.insert("rate".to_owned(), json!(rate));
        }
    }
    json!({
        "testName": format!("chaos {name}"),
        "scenario": "Load",
        "testScript": plan.script,
        "environment": environment,
        "options": options,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_shrinks_to_what_the_machine_carries() {
        let plan = |scale: &str| -> LoadPlan {
            let text =
                format!("script = \"a.js\"\npreset = \"extreme\"\nmost_users = 1300\n{scale}");
            toml::from_str(&text).expect("a load")
        };
        let machine = |users| Bound {
            users,
            of: "memory",
        };
        assert_eq!(bounded(&plan(""), machine(1_300)), None);
        assert_eq!(bounded(&plan("scale = 0.5"), machine(650)), None);
        let (scale, note) = bounded(&plan(""), machine(650)).expect("a bound");
        assert!((scale - 0.5).abs() < 1e-9, "{scale}");
        assert!(note.contains("650 of 1300"), "{note}");
    }
}
