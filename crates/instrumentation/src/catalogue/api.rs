//! What the book store does for its readers.

use super::metrics_family;

metrics_family! {
    family API_FAMILY;

    BOOKSTORE_BOOKS = Gauge "bookstore.books" as "bookstore_books",
        "{book}", [], &[],
        "Books of all tenants, looked at each half minute; NaN while the store does not answer.";
    BOOKSTORE_AUTHORS = Gauge "bookstore.authors" as "bookstore_authors",
        "{author}", [], &[],
        "Authors of all tenants, looked at each half minute; NaN while the store does not answer.";
    BOOKSTORE_STOCK_UNITS = Gauge "bookstore.stock.units" as "bookstore_stock_units",
        "{unit}", [], &[],
        "Copies of all tenants' books in stock, looked at each half minute; NaN while the store does not answer.";
    SUMMARIES_GENERATED = Counter "bookstore.summaries.generated" as "bookstore_summaries_generated_total",
        "{summary}", ["gen_ai.provider.name"], &[],
        "Summaries that a model wrote and the store kept.";
    OUTPUT_CHECKS = Counter "bookstore.summaries.output_checks" as "bookstore_summaries_output_checks_total",
        "{check}", ["check", "answer"], &[],
        "Model answers by the check that they failed, or passed; answer is first, or repair for the second try.";
    SUMMARY_FEEDBACK = Counter "bookstore.summaries.feedback" as "bookstore_summaries_feedback_total",
        "{rating}", ["rating"], &[],
        "Ratings of summaries: good (up, 4 and 5) or other.";
    SEARCHES = Counter "bookstore.searches" as "bookstore_searches_total",
        "{search}", ["outcome"], &[],
        "Searches that found something (found) or nothing (empty).";
}
