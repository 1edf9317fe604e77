//! Search on a `MongoDB` server: an escaped expression that ignores case.

use async_trait::async_trait;
use domain::{Book, SearchTerm};
use mongodb::bson::{Document, doc};
use tenancy::TenantId;

use super::collection::{DocumentStore, visible};
use crate::{
    StorageError,
    calls::{Call, Operation},
    search::{Scope, Source, ranked},
    store::BookStore,
};

#[async_trait]
impl BookStore for DocumentStore<Book> {
    async fn search(
        &self,
        tenant: &TenantId,
        term: &SearchTerm,
    ) -> Result<Vec<Book>, StorageError> {
        ranked(
            &Matches {
                books: self,
                call: self.calls.begin(Operation::Search),
                tenant,
                term,
            },
            term,
        )
        .await
    }
}

struct Matches<'a> {
    books: &'a DocumentStore<Book>,
    /// One for all scopes.
    call: Call,
    tenant: &'a TenantId,
    term: &'a SearchTerm,
}

impl Source for Matches<'_> {
    async fn matches(&self, scope: Scope, limit: usize) -> Result<Vec<Book>, StorageError> {
        let mut filter = visible(self.tenant);
        filter.extend(condition(scope, &literal(self.term.as_str())));
        let newest_first = doc! { "createdAt": -1, "_id": -1 };
        self.books
            .find(self.call, filter, newest_first, limit)
            .await
    }
}

fn condition(scope: Scope, literal: &str) -> Document {
    let holds = doc! { "$regex": literal, "$options": "i" };
    match scope {
        Scope::Anywhere => doc! {
            "$or": [{ "title": holds.clone() }, { "author": holds.clone() }, { "description": holds }],
        },
        Scope::WholeTitle => {
            doc! { "title": { "$regex": format!("^{literal}\\z"), "$options": "i" } }
        }
        Scope::Title => doc! { "title": holds },
        Scope::Author => doc! { "author": holds },
        Scope::Description => doc! { "description": holds },
    }
}

/// The expression that matches exactly this text.
fn literal(text: &str) -> String {
    let mut expression = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if character.is_ascii_punctuation() {
            expression.push('\\');
        }
        expression.push(character);
    }
    expression
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_of_a_term_keeps_a_meaning() {
        assert_eq!(literal("a.b*(c)+$"), r"a\.b\*\(c\)\+\$");
        assert_eq!(literal(r"\d[x]{2}|^?"), r"\\d\[x\]\{2\}\|\^\?");
        assert_eq!(literal("Größe 12"), "Größe 12");
    }
}
