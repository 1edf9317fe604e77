//! Shares of anything, of which nobody knows more than the name.

use load_analysis::comparison::{Count, Direction, Subject};

use crate::comparisons::one;

/// A rate such as that of cache hits: nobody said which way is better.
#[test]
fn a_rate_of_unknown_meaning_becomes_neither_better_nor_worse() {
    let counts = |hits| vec![Count { hits, of: 10_000 }; 4];
    let rate = |from, to| {
        let counts = (counts(from), counts(to));
        one(Subject::of_shares("rate of cache_hit", None, counts))
    };
    let risen = rate(5_000, 9_000);
    assert_eq!((risen.direction, risen.level), (Direction::Changed, None));
    assert!(
        risen
            .sentence
            .starts_with("rate of cache_hit is higher than"),
        "{risen:?}"
    );
    let fallen = rate(9_000, 5_000);
    assert_eq!(fallen.direction, Direction::Changed);
    assert!(fallen.sentence.contains("is lower than"), "{fallen:?}");
    assert_eq!(rate(5_000, 5_000).direction, Direction::Same);
    let json = serde_json::to_value(risen).unwrap();
    assert_eq!(json["direction"], "changed");
}
