//! Rules about single files.

use super::rust_text::{attributes, code_only, words};
use super::tree::{self, SourceFile};
use super::{Violation, assert_none};

/// A file is one idea; beyond this it holds a second one.
const MAX_LINES: usize = 400;

/// Most files are shorter than this; of a hundred, five may be longer.
const USUAL_LINES: usize = 300;

/// `main.rs` only wires.
const MAX_MAIN_LINES: usize = 60;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 7] = [
    "util", "utils", "helper", "helpers", "common", "manager", "misc",
];

fn too_long(file: &SourceFile) -> Vec<Violation> {
    let limit = if file.name() == "main.rs" && !file.path.contains("/tests/") {
        MAX_MAIN_LINES
    } else {
        MAX_LINES
    };
    let lines = file.text.lines().count();
    let rule = || {
        Violation::of(
            &file.path,
            format!("{lines} lines, at most {limit} are allowed"),
        )
    };
    (lines > limit).then(rule).into_iter().collect()
}

/// Looks at folders too: `common/cache.rs` is no better than `common.rs`.
fn badly_named(file: &SourceFile) -> Vec<Violation> {
    let stem = |part: &str| part.split('.').next().unwrap_or(part).to_owned();
    let empty = |part: &&str| EMPTY_NAMES.contains(&stem(part).as_str());
    let mut found: Vec<Violation> = file
        .path
        .split('/')
        .filter(empty)
        .map(|part| Violation::of(&file.path, format!("{part:?} names no idea")))
        .collect();
    if file.name() == "mod.rs" {
        found.push(Violation::of(
            &file.path,
            "a module's file is foo.rs beside foo/",
        ));
    }
    found
}

fn undocumented_crate(file: &SourceFile) -> Vec<Violation> {
    let missing = file.path.ends_with("/src/lib.rs") && !file.text.starts_with("//!");
    let rule = || Violation::at(&file.path, 1, "the crate starts with its story, `//!`");
    missing.then(rule).into_iter().collect()
}

fn bad_attributes(file: &SourceFile) -> Vec<Violation> {
    let mut found = Vec::new();
    for attribute in attributes(&code_only(&file.text)) {
        let has = |word| words(&attribute.inside).any(|it| it == word);
        let mut report = |rule| found.push(Violation::at(&file.path, attribute.line, rule));
        // Other attributes, of a schema for instance, have an `ignore` of their own.
        let of_a_test = matches!(words(&attribute.inside).next(), Some("ignore" | "cfg_attr"));
        if of_a_test && has("ignore") {
            report("a test that does not run proves nothing: no #[ignore]");
        }
        if has("allow") {
            report("an exception is #[expect(…, reason = \"…\")], not #[allow]");
        }
        if has("expect") && !has("reason") {
            report("#[expect] needs a reason");
        }
    }
    found
}

fn skipped_examples(file: &SourceFile) -> Vec<Violation> {
    let skipped = |line: &str| {
        let text = line.trim_start();
        let text = text
            .strip_prefix("///")
            .or_else(|| text.strip_prefix("//!"));
        text.is_some_and(|text| text.trim_start().starts_with("```ignore"))
    };
    file.lines()
        .filter(|(_, line)| skipped(line))
        .map(|(number, _)| Violation::at(&file.path, number, "an example that is never compiled"))
        .collect()
}

fn emoji(file: &SourceFile) -> Vec<Violation> {
    file.lines()
        .filter_map(|(number, line)| {
            let sign = line.chars().find(|&sign| is_emoji(sign))?;
            let code = u32::from(sign);
            Some(Violation::at(
                &file.path,
                number,
                format!("the emoji U+{code:04X}"),
            ))
        })
        .collect()
}

/// Characters that are shown as a coloured picture by default
/// (`Emoji_Presentation` of Unicode's emoji-data.txt), and the selector that
/// makes any other one so. Arrows and check marks are text.
fn is_emoji(sign: char) -> bool {
    matches!(sign,
        '\u{FE0F}' | '\u{231A}'..='\u{231B}' | '\u{23E9}'..='\u{23EC}' | '\u{23F0}' | '\u{23F3}'
        | '\u{25FD}'..='\u{25FE}' | '\u{2614}'..='\u{2615}' | '\u{2648}'..='\u{2653}'
        | '\u{267F}' | '\u{2693}' | '\u{26A1}' | '\u{26AA}'..='\u{26AB}'
        | '\u{26BD}'..='\u{26BE}' | '\u{26C4}'..='\u{26C5}' | '\u{26CE}' | '\u{26D4}'
        | '\u{26EA}' | '\u{26F2}'..='\u{26F3}' | '\u{26F5}' | '\u{26FA}' | '\u{26FD}'
        | '\u{2705}' | '\u{270A}'..='\u{270B}' | '\u{2728}' | '\u{274C}' | '\u{274E}'
        | '\u{2753}'..='\u{2755}' | '\u{2757}' | '\u{2795}'..='\u{2797}' | '\u{27B0}'
        | '\u{27BF}' | '\u{2B1B}'..='\u{2B1C}' | '\u{2B50}' | '\u{2B55}'
        | '\u{1F000}'..='\u{1FAFF}')
}

fn each(
    files: anyhow::Result<Vec<SourceFile>>,
    rule: fn(&SourceFile) -> Vec<Violation>,
) -> anyhow::Result<()> {
    assert_none(files?.iter().flat_map(rule).collect());
    Ok(())
}

#[test]
fn no_file_is_too_long() -> anyhow::Result<()> {
    each(tree::rust_files(), too_long)
}

#[test]
fn most_files_are_short() -> anyhow::Result<()> {
    let files = tree::rust_files()?;
    let all = files.len();
    let lines = |file: &SourceFile| file.text.lines().count();
    let long: Vec<_> = files
        .iter()
        .filter(|file| lines(file) > USUAL_LINES)
        .collect();
    let paths: Vec<_> = long.iter().map(|file| file.path.as_str()).collect();
    let share = format!("{} of {all} files are over {USUAL_LINES} lines", long.len());
    assert!(long.len() * 100 <= all * 5, "{share}: {paths:#?}");
    Ok(())
}

#[test]
fn every_file_name_says_something() -> anyhow::Result<()> {
    each(tree::rust_files(), badly_named)
}

#[test]
fn every_crate_tells_its_story() -> anyhow::Result<()> {
    each(tree::rust_files(), undocumented_crate)
}

#[test]
fn no_test_is_ignored_and_every_exception_has_a_reason() -> anyhow::Result<()> {
    each(tree::rust_files(), bad_attributes)?;
    each(tree::rust_files(), skipped_examples)
}

#[test]
fn no_file_has_emoji() -> anyhow::Result<()> {
    each(tree::files(), emoji)
}

mod examples {
    use super::*;

    fn file(path: &str, text: impl Into<String>) -> SourceFile {
        SourceFile {
            path: path.to_owned(),
            text: text.into(),
        }
    }

    #[test]
    fn a_line_too_many_is_found() {
        assert!(too_long(&file("crates/a/src/b.rs", "\n".repeat(MAX_LINES))).is_empty());
        assert_eq!(
            too_long(&file("crates/a/src/b.rs", "\n".repeat(MAX_LINES + 1))).len(),
            1
        );
        assert_eq!(
            too_long(&file("crates/a/src/main.rs", "\n".repeat(61))).len(),
            1
        );
        assert!(too_long(&file("crates/a/tests/a/main.rs", "\n".repeat(61))).is_empty());
    }

    #[test]
    fn an_empty_name_is_found_as_file_and_as_folder() {
        for path in [
            "crates/a/src/utils.rs",
            "crates/a/src/common/b.rs",
            "crates/a/src/b/mod.rs",
        ] {
            assert_eq!(badly_named(&file(path, "")).len(), 1, "{path}");
        }
        assert!(badly_named(&file("crates/a/src/commonplace.rs", "")).is_empty());
    }

    #[test]
    fn a_crate_without_a_story_is_found() {
        assert_eq!(
            undocumented_crate(&file("crates/a/src/lib.rs", "mod b;")).len(),
            1
        );
        assert!(undocumented_crate(&file("crates/a/src/lib.rs", "//! A.\nmod b;")).is_empty());
        assert!(undocumented_crate(&file("crates/a/src/b.rs", "mod b;")).is_empty());
    }

    #[test]
    fn bad_attributes_are_found_with_their_line() {
        for text in [
            "\n#[ignore]\n",
            "\n#[cfg_attr(unix, ignore = \"slow\")]\n",
            "\n#![allow(dead_code)]\n",
            "\n#[expect(\n    dead_code\n)]\n",
        ] {
            let lines: Vec<_> = bad_attributes(&file("a.rs", text))
                .iter()
                .map(|v| v.line)
                .collect();
            assert_eq!(lines, [2], "{text}");
        }
        let fine = "#[expect(dead_code, reason = \"x\")]\n#[schema(ignore)]\n// #[ignore]\nlet x = \"#[allow(x)]\";";
        assert!(bad_attributes(&file("a.rs", fine)).is_empty());
    }

    #[test]
    fn an_example_that_is_not_compiled_is_found() {
        assert_eq!(
            skipped_examples(&file("a.rs", "//! A.\n/// ```ignore\n")).len(),
            1
        );
        assert!(skipped_examples(&file("a.rs", "/// ```no_run\n")).is_empty());
    }

    #[test]
    fn emoji_are_found_and_signs_are_not() {
        let found = emoji(&file("README.md", "fine → ✓\nrocket \u{1F680}\n"));
        assert_eq!(found, [Violation::at("README.md", 2, "the emoji U+1F680")]);
    }
}
