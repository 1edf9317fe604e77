//! What a search finds first, the same for both stores.
//!
//! A store can find the newest matches in one field, but ranks differently or not at all. So it is
//! asked for the newest matches anywhere; only when there are more than fit into the answer, the
//! better fields are asked one by one.

use std::{collections::HashSet, future::Future};

use domain::{Book, BookId, SearchTerm};

use crate::StorageError;

/// Most books in an answer (the contract's number).
pub(crate) const MAX_RESULTS: usize = 50;

/// Where a term must be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// In any of the three fields.
    Anywhere,
    /// The title is the term.
    WholeTitle,
    /// In the title.
    Title,
    /// In the author's name.
    Author,
    /// In the description.
    Description,
}

/// A store that finds matches.
pub(crate) trait Source {
    /// The newest `limit` books with the term in this scope, newest first.
    fn matches(
        &self,
        scope: Scope,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Book>, StorageError>> + Send;
}

/// The best matches, the newest first among equals.
pub(crate) async fn ranked(
    source: &impl Source,
    term: &SearchTerm,
) -> Result<Vec<Book>, StorageError> {
    let mut found = source.matches(Scope::Anywhere, MAX_RESULTS + 1).await?;
    if found.len() <= MAX_RESULTS {
        let term = fold(term.as_str());
        // Stable, so that ties stay newest first.
        found.sort_by_cached_key(|book| rank(book, &term));
        return Ok(found);
    }
    let mut best: Vec<Book> = Vec::with_capacity(MAX_RESULTS);
    let mut seen: HashSet<BookId> = HashSet::with_capacity(MAX_RESULTS);
    for scope in [
        Scope::WholeTitle,
        Scope::Title,
        Scope::Author,
        Scope::Description,
    ] {
        // Of the newest 50 here, those seen before are at most as many as were taken before, so
        // enough remain to fill the answer.
        for book in source.matches(scope, MAX_RESULTS).await? {
            if best.len() < MAX_RESULTS && seen.insert(book.id) {
                best.push(book);
            }
        }
        if best.len() == MAX_RESULTS {
            break;
        }
    }
    Ok(best)
}

/// The text in the form in which upper and lower case are equal.
pub(crate) fn fold(text: &str) -> String {
    text.to_lowercase()
}

fn rank(book: &Book, folded_term: &str) -> u8 {
    let title = fold(book.title.as_str());
    if title == folded_term {
        0
    } else if title.contains(folded_term) {
        1
    } else if fold(book.author.as_str()).contains(folded_term) {
        2
    } else {
        3
    }
}
