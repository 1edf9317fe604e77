//! Every case below runs against each store.

use crate::{books, lists, model, search};

macro_rules! conformance {
    ($($module:ident :: $case:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() -> anyhow::Result<()> {
                    super::$module::$case(crate::fixtures::sqlite()?).await
                }
            )*
        }
        mod mongo {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() -> anyhow::Result<()> {
                    super::$module::$case(crate::fixtures::mongo().await?).await
                }
            )*
        }
    };
}

conformance! {
    books::every_field_survives,
    books::authors_survive,
    books::valid_isbns_are_unique_per_tenant,
    books::bulk_is_all_or_nothing,
    lists::lists_are_stable_and_filtered,
    lists::orders_are_stable,
    books::replace_checks_the_version,
    books::delete_checks_the_version,
    books::concurrent_changes_are_not_lost,
    books::what_was_acknowledged_is_there_after_a_restart,
    search::text_is_never_a_pattern,
    search::case_and_part_of_a_word_do_not_matter,
    search::better_matches_come_first,
    search::the_newest_come_first_among_many,
    search::changes_are_found_at_once,
    model::two_tenants_behave_like_two_maps,
}
