//! What the book store does for its readers.

use super::metrics_family;

metrics_family! {
    family API_FAMILY;

    SUMMARIES_GENERATED = Counter "bookstore.summaries.generated" as "bookstore_summaries_generated_total",
        "{summary}", ["gen_ai.provider.name"], &[],
        "Summaries that a model wrote and the store kept.";
    SEARCHES = Counter "bookstore.searches" as "bookstore_searches_total",
        "{search}", ["outcome"], &[],
        "Searches that found something (found) or nothing (empty).";
}
