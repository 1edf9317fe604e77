//! A gate as files: what the service writes of each run, and the comparison beside it.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use load_analysis::escape::{markdown as plain, xml};
use load_analysis::verdict::Level;

use super::Gate;
use crate::console;
use crate::failure::Failure;
use crate::service::{Compared, Service};

/// Longer comments are refused by the code hosts, whose bound is 65,536.
const MAX_COMMENT: usize = 60_000;

/// What stands around the suites in the service's file.
const OPEN: &str = "<testsuites>";
const CLOSE: &str = "</testsuites>";

/// Measures that decide are cases; what informs has no place in it.
pub(super) async fn junit(service: &Service, gate: &Gate) -> Result<String, Failure> {
    let mut suites = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    suites.push_str(OPEN);
    for run in &gate.runs {
        let file = service.report(&run.test_id, "junit").await?;
        let inside = file
            .split_once(OPEN)
            .and_then(|(_, rest)| rest.rsplit_once(CLOSE));
        let (inside, _) = inside.ok_or_else(|| {
            Failure::Broken(format!("the JUnit report of {} has no suites", run.name()))
        })?;
        suites.push_str(inside.trim_end());
    }
    suites.push('\n');
    if let Some(compared) = gate.reference.compared() {
        suites.push_str(&suite(gate, compared));
    }
    Ok(suites + CLOSE + "\n")
}

/// What CI would show as green although it tells nothing is a skipped case.
fn suite(gate: &Gate, compared: &Compared) -> String {
    let name = xml(&format!("{} {}", gate.test, gate.reference.name()));
    let mut cases = String::new();
    let (mut failed, mut skipped) = (0, 0);
    let mut case = |title: &str, inside: &str| {
        let title = xml(title);
        cases.push_str(&format!(
            "<testcase classname=\"{name}\" name=\"{title}\">{inside}</testcase>\n"
        ));
    };
    let counts = compared.level != Level::Invalid;
    let invalid = "<error message=\"a run does not count, so nothing that is compared does\"/>";
    case(
        "the runs can be compared",
        if counts { "" } else { invalid },
    );
    let mut deciding = 0;
    for one in &compared.comparisons {
        let Some(level) = one.level else { continue };
        deciding += 1;
        let sentence = xml(&one.sentence);
        let inside = if level.exit_code() > 1 {
            failed += 1;
            format!("<failure message=\"{sentence}\"/>")
        } else if level == Level::Inconclusive {
            skipped += 1;
            format!("<skipped message=\"{sentence}\"/>")
        } else {
            format!("<system-out>{sentence}</system-out>")
        };
        case(&one.name, &inside);
    }
    format!(
        "<testsuite name=\"{name}\" tests=\"{}\" failures=\"{failed}\" errors=\"{}\" skipped=\"{skipped}\">\n{cases}</testsuite>\n",
        deciding + 1,
        u8::from(!counts)
    )
}

/// The gate's level, the comparison, then each run as the service tells it.
pub(super) async fn markdown(service: &Service, gate: &Gate) -> Result<String, Failure> {
    let level = gate.level.as_str();
    let (test, name) = (plain(&gate.test), plain(gate.reference.name()));
    let mut text = format!("## {level}: {test}\n\n{name}");
    if let Some(compared) = gate.reference.compared() {
        text.push_str(&format!(": {}\n", compared.level.as_str()));
        for one in console::notable(compared) {
            let level = one.level.map(|level| format!("**{}** ", level.as_str()));
            let level = level.unwrap_or_default();
            text.push_str(&format!("* {level}{}\n", plain(&one.sentence)));
        }
        text.push_str(&format!("* {}\n", console::rest(compared)));
        if let Some(rerun) = &compared.rerun {
            text.push_str(&format!("* {}\n", plain(&rerun.sentence)));
        }
    } else {
        text.push('\n');
    }
    for run in &gate.runs {
        let report = service.report_alone(&run.test_id).await?;
        if text.len() + report.len() <= MAX_COMMENT {
            text.push_str(&format!("\n{}\n", report.trim_end()));
        } else {
            let (name, page) = (plain(&run.name()), service.page(&run.test_id));
            text.push_str(&format!("\n[{name}]({page}): {}\n", run.outcome()));
        }
    }
    Ok(text)
}

/// A step's summary may hold what others wrote before.
pub(super) fn append(path: &Path, text: &str) -> Result<(), Failure> {
    let written = File::options()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Failure::file(path, error))
}
