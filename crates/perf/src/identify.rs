//! Runs by the numbers that people know them by.

use crate::failure::Failure;
use crate::service::Service;

/// Digits of an id, hexadecimal.
const ID_DIGITS: usize = 32;

/// The id of a run, which is named by it or by its number: `12` or `#12`.
///
/// # Errors
/// No run has the number, or the text is neither number nor id.
pub(crate) async fn id(service: &Service, text: &str) -> Result<String, Failure> {
    if let Some(number) = number(text) {
        let run = service.numbered(number).await?;
        let missing = || Failure::Usage(format!("there is no run #{number}"));
        return run.map(|run| run.test_id).ok_or_else(missing);
    }
    if is_id(text) {
        return Ok(text.to_owned());
    }
    let reason = format!("{text:?} is neither the number nor the id of a run");
    Err(Failure::Usage(reason))
}

/// The ids of several runs with commas between, written the same way.
///
/// # Errors
/// See [`id`].
pub(crate) async fn list(service: &Service, text: &str) -> Result<String, Failure> {
    let mut ids = Vec::new();
    for one in text.split(',') {
        ids.push(id(service, one.trim()).await?);
    }
    Ok(ids.join(","))
}

fn is_id(text: &str) -> bool {
    text.len() == ID_DIGITS && text.chars().all(|c| c.is_ascii_hexdigit())
}

/// An id has 32 digits, a number never.
fn number(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    (digits.len() < ID_DIGITS).then_some(digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_an_id_too() {
        assert_eq!(number("#12"), Some(12));
        let zeros = "0".repeat(ID_DIGITS);
        assert_eq!((number(&zeros), is_id(&zeros)), (None, true));
        for wrong in ["", "../x", "0190a0b0g"] {
            assert_eq!((number(wrong), is_id(wrong)), (None, false), "{wrong}");
        }
    }
}
