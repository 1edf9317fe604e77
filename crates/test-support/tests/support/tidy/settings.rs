//! Every setting that a process reads is in `.env.example`, and every one there
//! is read.

use std::collections::BTreeMap;

use anyhow::Context;

use super::rust_text::code_only;
use super::tree::{self, SourceFile};
use super::{Violation, assert_none};

const EXAMPLE: &str = ".env.example";

/// The one place that reads the environment; its public methods that take a
/// `name` are how a setting is read.
const READER: &str = "crates/service-defaults/src/environment.rs";

/// What may read a setting besides Rust code, by the start of the path.
const SCRIPTS: [&str; 6] = [
    "deploy/",
    "docker-compose",
    "Makefile",
    ".ci/",
    "k6/",
    "monitoring/",
];

/// Our own settings begin so; a literal like this is one, whatever function it is
/// given to.
const PREFIXES: [&str; 3] = ["BOOKSTORE_", "PERFORMANCE_", "SIMULATOR_"];

/// How the name of a variable ends that holds the path of a secret.
const SECRET_FILE: &str = "_FILE";

/// A name, and the first place where it stands.
type Settings = BTreeMap<String, (String, usize)>;

/// The names of the reader's methods, from its text.
fn reading_methods(reader: &str) -> Vec<String> {
    let code = code_only(reader);
    let declared = code.match_indices("pub fn ").filter_map(|(at, keyword)| {
        let (head, parameters) = code[at + keyword.len()..].split_once('(')?;
        let first = parameters.split(')').next()?;
        let method = head.split('<').next()?.trim();
        first.contains("name: &").then(|| method.to_owned())
    });
    declared.collect()
}

/// The settings that a file reads: `.text("NAME", …)`, also with type arguments,
/// also by a constant of the same file; and every literal that is the name of a
/// setting of ours. What follows `#[cfg(test)]` reads examples.
fn read_in(file: &SourceFile, methods: &[String]) -> Vec<(String, usize)> {
    let text = file.text.split("#[cfg(test)]").next().unwrap_or_default();
    let code = code_only(text);
    let calls = methods.iter().flat_map(|method| {
        let calls = code.match_indices(method.as_str());
        calls.filter_map(|(at, call)| {
            let open = start_of_arguments(&code[at + call.len()..])?;
            let argument = text[at + call.len() + open..].trim_start();
            let name = quoted(argument).or_else(|| constant(text, argument))?;
            code[..at].ends_with('.').then_some((at, name))
        })
    });
    let literals = PREFIXES.iter().flat_map(|prefix| {
        let starts = text.match_indices(*prefix);
        starts.filter_map(|(at, _)| Some((at, quoted(text.get(at.checked_sub(1)?..)?)?)))
    });
    let mut found: Vec<(String, usize)> = calls
        .chain(literals)
        .filter(|(_, name)| is_setting(name))
        .map(|(at, name)| (name.to_owned(), text[..at].matches('\n').count() + 1))
        .collect();
    found.sort();
    found.dedup_by(|one, other| one.0 == other.0);
    found
}

/// The position behind the bracket of a call, past `::<…>`.
fn start_of_arguments(code: &str) -> Option<usize> {
    let generics = match code.strip_prefix("::<") {
        Some(_) => code.find(">(").map(|at| at + 1)?,
        None => 0,
    };
    code[generics..].starts_with('(').then_some(generics + 1)
}

fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.split('"').next()
}

fn constant<'a>(text: &'a str, argument: &str) -> Option<&'a str> {
    let name = argument
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .next()?;
    let (_, declared) = text.split_once(&format!("const {name}: &str ="))?;
    quoted(declared.trim_start())
}

fn is_setting(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// `NAME=value`, also commented out: an option that is off by default.
fn listed_in(example: &str) -> Settings {
    let mut found = Settings::new();
    for (index, line) in example.lines().enumerate() {
        let line = line.trim_start_matches(['#', ' ']);
        if let Some((name, _)) = line.split_once('=').filter(|(name, _)| is_setting(name)) {
            found
                .entry(name.to_owned())
                .or_insert((EXAMPLE.to_owned(), index + 1));
        }
    }
    found
}

fn read_by_script(name: &str, files: &[SourceFile]) -> bool {
    let scripts = files
        .iter()
        .filter(|file| SCRIPTS.iter().any(|start| file.path.starts_with(start)));
    scripts.into_iter().any(|file| mentions(&file.text, name))
}

/// Whether a shell, Make, compose, Python or k6 file uses the variable: the name as
/// a whole word behind a `$`, a bracket of it, a quote, or `__ENV.`.
fn mentions(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before =
            text[..at].ends_with(['$', '{', '(', '!', '"', '\'']) || text[..at].ends_with("__ENV.");
        let next = text[at + name.len()..].chars().next();
        before && !next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

fn mismatches(read: &Settings, listed: &Settings, files: &[SourceFile]) -> Vec<Violation> {
    let unlisted = read.iter().filter(|(name, _)| !listed.contains_key(*name));
    let unread = listed.iter().filter(|(name, _)| {
        let secret = name.strip_suffix(SECRET_FILE).unwrap_or(name);
        let in_code = read.contains_key(*name) || read.contains_key(secret);
        !in_code && !read_by_script(name, files)
    });
    let report = |(name, (path, line)): (&String, &(String, usize)), rule: &str| {
        Violation::at(path, *line, format!("{name} {rule}"))
    };
    unlisted
        .map(|place| report(place, "is read here but not in .env.example"))
        .chain(unread.map(|place| report(place, "is read by nobody")))
        .collect()
}

#[test]
fn settings_and_their_example_agree() -> anyhow::Result<()> {
    let files = tree::files()?;
    let text_of = |path: &str| {
        let file = files.iter().find(|file| file.path == path);
        file.map(|file| file.text.as_str())
            .with_context(|| format!("there is no {path}"))
    };
    let methods = reading_methods(text_of(READER)?);
    assert!(
        methods.len() > 2,
        "{READER} has the reading methods {methods:?}"
    );

    let mut read = Settings::new();
    let sources = files.iter().filter(|file| {
        file.is_rust() && file.path.contains("/src/") && !file.path.contains("/test-support/")
    });
    for file in sources.filter(|file| file.path != READER) {
        for (name, line) in read_in(file, &methods) {
            read.entry(name).or_insert((file.path.clone(), line));
        }
    }
    assert!(
        read.contains_key("BOOKSTORE_HTTP_ADDR"),
        "settings are not found: {read:?}"
    );
    assert_none(mismatches(&read, &listed_in(text_of(EXAMPLE)?), &files));
    Ok(())
}

mod examples {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn methods_are_those_that_take_a_name() {
        let reader = "pub fn text(\n    &mut self,\n    name: &'static str) {}\n\
            pub fn parsed<T: X>(&mut self, name: &str, x: T) {}\npub fn finish(self) {}";
        assert_eq!(reading_methods(reader), ["text", "parsed"]);
    }

    #[test]
    fn reads_are_found_however_they_are_written() {
        let methods = ["text".to_owned(), "parsed".to_owned()];
        let source = [
            "const PORT: &str = \"PORT_C\";",
            "env.text(",
            "    \"NAME_A\", x);",
            "env.parsed::<Vec<u8>>(\"NAME_B\");",
            "env.parsed(PORT);",
            "Telemetry::read(env, \"BOOKSTORE_D\");",
            "// env.text(\"NOT_ME\")",
            "reply.text(); env.text(\"lower\"); context(\"NOT_ME\");",
            "#[cfg(test)]",
            "env.text(\"NOT_ME\");",
        ];
        let found = read_in(&file("a.rs", &source.join("\n")), &methods);
        let expected = [
            ("BOOKSTORE_D", 6),
            ("NAME_A", 2),
            ("NAME_B", 4),
            ("PORT_C", 5),
        ];
        assert_eq!(found, expected.map(|(name, line)| (name.to_owned(), line)));
    }

    #[test]
    fn both_kinds_of_mismatch_are_found() {
        let listed = listed_in(
            "# A comment = no setting\nBOTH=1\n# OFF=1\nDEAD=1\nSCRIPTED=1\n# OFF_FILE=/a\n",
        );
        let place = ("a.rs".to_owned(), 1);
        let read: Settings = ["BOTH", "OFF", "NEW"]
            .map(|name| (name.to_owned(), place.clone()))
            .into();
        let scripts = [
            file("deploy/a.sh", "echo \"${SCRIPTED:-x}\" $DEADLINE DEAD"),
            file("docs/a.md", "${DEAD}"),
        ];
        let found = mismatches(&read, &listed, &scripts);
        assert_eq!(
            found,
            [
                Violation::at("a.rs", 1, "NEW is read here but not in .env.example"),
                Violation::at(EXAMPLE, 4, "DEAD is read by nobody"),
            ]
        );
    }
}
