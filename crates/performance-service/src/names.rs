//! Names that people give to what they keep here: parts of addresses, so that no text of theirs
//! can lead elsewhere.

/// The longest name, in bytes.
const MAX_NAME: usize = 64;

/// Why a text is no name; `None` when it is one.
pub(crate) fn refusal(text: &str) -> Option<&'static str> {
    let allowed = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '_' | '-');
    let is_name = (1..=MAX_NAME).contains(&text.len())
        && text.starts_with(|sign: char| sign.is_ascii_alphanumeric())
        && text.chars().all(allowed);
    let rule = "must be 1 to 64 letters, digits, _ and -, beginning with a letter or digit";
    (!is_name).then_some(rule)
}
