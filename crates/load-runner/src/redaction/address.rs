//! Addresses as far as they may be kept.

use super::{MARK, is_key};

/// An address after its scheme, without user, query and fragment.
pub(super) fn add(redacted: &mut String, address: &str) {
    let end = address.find(['?', '#']).unwrap_or(address.len());
    let (address, _) = address.split_at(end);
    let path = address.find('/').unwrap_or(address.len());
    let (authority, path) = address.split_at(path);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    redacted.push_str(host);
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            redacted.push('/');
        }
        redacted.push_str(if is_key(segment) { MARK } else { segment });
    }
}

/// Where the query of an address without its scheme begins: `/books?page=2`, not `is it 200?`.
pub(super) fn query(word: &str) -> Option<usize> {
    let at = word.find('?')?;
    let (path, query) = word.split_at(at);
    (path.contains('/') || query.contains('=')).then_some(at)
}
