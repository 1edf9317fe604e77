//! Takes the numbers of Amazon's accounts out of names.

/// Digits of an Amazon account's number, and what stands for them.
const ACCOUNT_DIGITS: usize = 12;
const NO_ACCOUNT: &str = "000000000000";

/// The text without the numbers of Amazon's accounts: a field of twelve digits
/// in a name such as `arn:aws:bedrock:us-east-1:123456789012:…`, also where its
/// colons are escaped, as in paths.
pub(super) fn without_accounts(text: &str) -> String {
    let ends_field = |text: &str| [":", "%3A", "%3a"].iter().any(|end| text.ends_with(end));
    let begins_field = |text: &str| [":", "%3A", "%3a"].iter().any(|end| text.starts_with(end));
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        let length = from.find(|letter: char| !letter.is_ascii_digit());
        let (digits, after) = from.split_at(length.unwrap_or(from.len()));
        out.push_str(before);
        let is_field = digits.len() == ACCOUNT_DIGITS && begins_field(after);
        let stand_in = (is_field && ends_field(&out)).then_some(NO_ACCOUNT);
        out.push_str(stand_in.unwrap_or(digits));
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_have_no_numbers() {
        for (text, expected) in [
            (
                "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fx",
                "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A000000000000%3Ainference-profile%2Fx",
            ),
            (
                "arn:aws:iam::123456789012:user/me",
                "arn:aws:iam::000000000000:user/me",
            ),
            (
                r#"{"created":123456789012,"a":"v1:0"}"#,
                r#"{"created":123456789012,"a":"v1:0"}"#,
            ),
            (":1234567890123:", ":1234567890123:"),
        ] {
            assert_eq!(without_accounts(text), expected);
        }
    }
}
