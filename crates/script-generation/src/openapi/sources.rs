//! Where the values of paths come from: the id in `/books/{id}` is the one that `POST /books`
//! created, or else one that `GET /books` lists.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::Document;
use super::operation::Operation;
use crate::configuration::Method;
use crate::naming::{Given, identifier};

/// How a value became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// By creating something.
    Created,
    /// By a list.
    Listed,
    /// Not at all.
    Unknown,
}

/// What is behind one `{name}` of a path.
struct Told {
    source: Source,
    /// The name of the value.
    value: String,
    /// Where it is in the reply.
    pointer: String,
}

/// By the path before the braces and the name within.
pub(super) struct Sources(BTreeMap<(String, String), Told>);

impl Sources {
    pub(super) fn of<'a>(document: &Document<'a>, operations: &[Operation<'a>]) -> Self {
        let mut given = Given::default();
        let mut told = BTreeMap::new();
        for place in operations
            .iter()
            .flat_map(|operation| places(operation.path))
        {
            let (before, name) = &place;
            if told.contains_key(&place) {
                continue;
            }
            let find = |method: Method| {
                operations
                    .iter()
                    .find(|it| it.method == method && it.path == before)
            };
            let created = find(Method::Post).and_then(|it| created(document, it, name));
            let listed = || find(Method::Get).and_then(|it| listed(document, it, name));
            let found = created
                .map(|pointer| (Source::Created, pointer))
                .or_else(|| Some((Source::Listed, listed()?)));
            if let Some((source, pointer)) = found {
                let last = before.rsplit('/').next().unwrap_or_default();
                let value = given.unique(&identifier("", &format!("{last} {name}")));
                told.insert(
                    place,
                    Told {
                        source,
                        value,
                        pointer,
                    },
                );
            }
        }
        Self(told)
    }

    /// The source of each value of a path.
    pub(super) fn of_path(&self, path: &str) -> impl Iterator<Item = &Source> {
        let of_place = |place| {
            self.0
                .get(&place)
                .map_or(&Source::Unknown, |told| &told.source)
        };
        places(path).into_iter().map(of_place)
    }

    /// The name of the value behind `{name}`, if a reply tells it.
    pub(super) fn value_name(&self, path: &str, name: &str) -> Option<String> {
        let place = places(path).into_iter().find(|(_, it)| it == name)?;
        Some(self.0.get(&place)?.value.clone())
    }

    /// What an operation's reply tells: name and place.
    pub(super) fn told_by(&self, operation: &Operation<'_>) -> Option<(Source, String, String)> {
        let teller = |source| match source {
            Source::Created => Method::Post,
            Source::Listed | Source::Unknown => Method::Get,
        };
        let ((_, _), told) = self.0.iter().find(|((before, _), told)| {
            before == operation.path && teller(told.source) == operation.method
        })?;
        Some((told.source, told.value.clone(), told.pointer.clone()))
    }
}

/// Each name in braces, with the path before it.
fn places(path: &str) -> Vec<(String, String)> {
    let mut places = Vec::new();
    for (at, _) in path.match_indices('{') {
        let (before, after) = path.split_at(at);
        if let (Some(before), Some((name, _))) = (before.strip_suffix('/'), after.split_once('}')) {
            places.push((before.to_owned(), name.trim_start_matches('{').to_owned()));
        }
    }
    places
}

fn created<'a>(document: &Document<'a>, operation: &Operation<'a>, name: &str) -> Option<String> {
    Some(format!("/{}", member(document, operation.reply?, name)?))
}

/// The first entry of a list, bare or as a member of a page.
fn listed<'a>(document: &Document<'a>, operation: &Operation<'a>, name: &str) -> Option<String> {
    let schema = document.resolved(operation.reply?)?;
    if let Some(items) = schema.get("items") {
        return Some(format!("/0/{}", member(document, items, name)?));
    }
    let members = schema.get("properties")?.as_object()?;
    members.iter().find_map(|(list, schema)| {
        let items = document.resolved(schema)?.get("items")?;
        let member = member(document, items, name)?;
        is_plain(list).then(|| format!("/{list}/0/{member}"))
    })
}

/// The member of that name, or else the id, of an object.
fn member<'a>(document: &Document<'a>, schema: &'a Value, name: &str) -> Option<String> {
    let members = document.resolved(schema)?.get("properties")?.as_object()?;
    let found = [name, "id"]
        .into_iter()
        .find(|name| members.contains_key(*name));
    found.filter(|name| is_plain(name)).map(str::to_owned)
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 60
        && name
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || "_-".contains(sign))
}
