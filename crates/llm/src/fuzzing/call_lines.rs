//! What holds of every file of calls that is priced.

use std::io::BufReader;

use serde_json::Value;

use super::PRICES;

const COST: &str = "cost_pico_usd";

/// Every line comes out again or is refused; it keeps what it had and has one cost; priced again it
/// stays as it is; and how the file is read in pieces makes no difference.
///
/// # Panics
/// When one of it does not hold.
pub(super) fn check(bytes: &[u8]) {
    let (written, refused) = priced(bytes, bytes.len());
    assert_eq!(priced(bytes, 1), (written.clone(), refused.clone()));
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let numbered = (1..).zip(lines);
    let mut given = numbered
        .filter(|(number, line)| !line.trim_ascii().is_empty() && !refused.contains(number));
    for line in written.split_inclusive(|byte| *byte == b'\n') {
        assert_eq!(line.last(), Some(&b'\n'));
        let given = given.next().map(|(_, line)| line);
        check_line(given.unwrap_or_default(), line);
    }
    assert_eq!(given.next(), None, "a line was lost");
    // A line may grow beyond the longest that is read.
    let (again, refused) = priced(&written, written.len());
    if refused.is_empty() {
        assert_eq!(again, written);
    }
}

/// What is written, and the numbers of the lines that are not.
fn priced(bytes: &[u8], buffer: usize) -> (Vec<u8>, Vec<u64>) {
    let (mut written, mut refused) = (Vec::new(), Vec::new());
    let reader = BufReader::with_capacity(buffer.max(1), bytes);
    let done = PRICES.price_lines(reader, &mut written, |line, reason| {
        assert!(!reason.is_empty());
        refused.push(line);
    });
    assert!(done.is_ok(), "{done:?}");
    (written, refused)
}

fn check_line(given: &[u8], written: &[u8]) {
    // Numbers beyond a double's range are kept as they are, but cannot be compared here.
    let Ok(Value::Object(mut given)) = serde_json::from_slice(given) else {
        return;
    };
    let written = serde_json::from_slice::<Value>(written).unwrap_or_default();
    let cost = written.get(COST).cloned().unwrap_or_else(|| "none".into());
    let exact = cost.is_null() || cost.as_i64().is_some_and(|cost| cost >= 0);
    assert!(exact, "{cost}");
    given.insert(COST.to_owned(), cost);
    assert_eq!(written, Value::Object(given));
}
