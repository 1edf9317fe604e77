//! The command line: a few settings have options, too.

use service_defaults::{environment::Environment, process::Invocation};

/// Options of `llm-simulator` and the settings that they stand for.
const OF_SIMULATOR: [(&str, &str); 3] = [
    ("--replay", "SIMULATOR_REPLAY"),
    ("--speed", "SIMULATOR_REPLAY_SPEED"),
    ("--miss", "SIMULATOR_REPLAY_MISS"),
];
/// Options of `llm-simulator record`.
const OF_RECORDER: [(&str, &str); 2] = [
    ("--upstream", "SIMULATOR_RECORD_UPSTREAM"),
    ("--library", "SIMULATOR_RECORD_LIBRARY"),
];
const RECORD: &str = "record";

/// Turns options into settings; what is not known is left for the process.
///
/// # Errors
/// An option lacks its value, or a recording lacks an option.
pub fn read(options: &[String], environment: Environment) -> Result<Invocation, String> {
    let (known, rest): (&[_], &[String]) = match options {
        [first, rest @ ..] if first == RECORD => (&OF_RECORDER, rest),
        all => (&OF_SIMULATOR, all),
    };
    let is_recorder = known.len() == OF_RECORDER.len();
    let mut invocation = Invocation {
        environment,
        options: Vec::new(),
    };
    let mut given = 0;
    let mut rest = rest.iter();
    while let Some(option) = rest.next() {
        let Some((_, setting)) = known.iter().find(|(name, _)| name == option) else {
            invocation.options.push(option.clone());
            continue;
        };
        let value = rest
            .next()
            .ok_or_else(|| format!("{option} needs a value"))?;
        invocation.environment = invocation.environment.with(setting, value);
        given += 1;
    }
    if is_recorder && given < known.len() && invocation.options.is_empty() {
        return Err("record needs --upstream URL and --library FILE".to_owned());
    }
    Ok(invocation)
}

#[cfg(test)]
mod tests {
    use service_defaults::environment::Environment;

    use super::read;

    fn settings(options: &[&str]) -> Result<(Vec<String>, [Option<String>; 2]), String> {
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        let pairs = [("SIMULATOR_REPLAY".to_owned(), "from-environment".to_owned())];
        let mut invocation = read(&options, Environment::of_pairs(pairs))?;
        let mut text = |name| invocation.environment.optional_text(name, "");
        let found = [text("SIMULATOR_REPLAY"), text("SIMULATOR_RECORD_LIBRARY")];
        Ok((invocation.options, found))
    }

    #[test]
    fn options_win_over_the_environment() {
        let (left, [replay, _]) = settings(&["--replay", "a.ndjson", "--help"]).unwrap();
        assert_eq!(
            (left, replay.as_deref()),
            (vec!["--help".to_owned()], Some("a.ndjson"))
        );
        let (left, [replay, _]) = settings(&[]).unwrap();
        assert_eq!(
            (left.len(), replay.as_deref()),
            (0, Some("from-environment"))
        );
        let recorded = settings(&["record", "--upstream", "http://localhost", "--library", "b"]);
        assert_eq!(recorded.unwrap().1[1].as_deref(), Some("b"));
    }

    #[test]
    fn what_is_missing_or_unknown_is_said() {
        for options in [
            &["--replay"][..],
            &["record"],
            &["record", "--library", "b"],
        ] {
            assert!(settings(options).is_err(), "{options:?}");
        }
        let (left, _) = settings(&["--upstream", "x"]).unwrap();
        assert_eq!(left, ["--upstream", "x"]);
    }
}
