//! Just enough of Rust's grammar to tell code from comments and literals.

/// The text with the insides of comments and of string and character literals
/// blanked out. Every line keeps its number and every byte its place, so that a
/// position found here is the position in the file.
pub(crate) fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    while code.len() < bytes.len() {
        let rest = &bytes[code.len()..];
        let previous = code.last().copied();
        match literal_length(rest, previous) {
            Some(length) => code.extend(rest[..length].iter().map(|&byte| blank(byte))),
            None => code.push(rest[0]),
        }
    }
    String::from_utf8_lossy(&code).into_owned()
}

fn blank(byte: u8) -> u8 {
    if byte == b'\n' { b'\n' } else { b' ' }
}

/// The length of the comment or literal that starts here, if one does.
fn literal_length(rest: &[u8], previous: Option<u8>) -> Option<usize> {
    let in_word = previous.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match rest {
        [b'/', b'/', ..] => Some(
            rest.iter()
                .position(|&byte| byte == b'\n')
                .unwrap_or(rest.len()),
        ),
        [b'/', b'*', ..] => Some(block_comment(rest)),
        [b'"', ..] => Some(quoted(rest, 1, b'"')),
        [b'b' | b'c', b'"', ..] if !in_word => Some(quoted(rest, 2, b'"')),
        [b'r', b'"' | b'#', ..] if !in_word => raw_string(rest, 1),
        [b'b' | b'c', b'r', b'"' | b'#', ..] if !in_word => raw_string(rest, 2),
        [b'\'', b'\\', ..] => Some(quoted(rest, 1, b'\'')),
        [b'\'', ..] => character(rest),
        _ => None,
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at.min(rest.len())
}

fn quoted(rest: &[u8], start: usize, end: u8) -> usize {
    let mut at = start;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == end => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string(rest: &[u8], start: usize) -> Option<usize> {
    let hashes = rest[start..]
        .iter()
        .take_while(|&&byte| byte == b'#')
        .count();
    let open = start + hashes;
    if rest.get(open) != Some(&b'"') {
        // `r#type` is a name, not a string.
        return None;
    }
    let close = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
    let body = &rest[open + 1..];
    let inside = body.windows(close.len()).position(|part| part == close);
    Some(inside.map_or(rest.len(), |length| open + 1 + length + close.len()))
}

/// `'x'` is a literal, `'x` a lifetime. One character has at most four bytes.
fn character(rest: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(&rest[1..rest.len().min(5)])
        .or_else(|cut| std::str::from_utf8(&rest[1..=cut.valid_up_to()]))
        .ok()?;
    let end = 1 + text.chars().next()?.len_utf8();
    (rest.get(end) == Some(&b'\'')).then_some(end + 1)
}

/// An attribute, `#[…]` or `#![…]`.
pub(crate) struct Attribute {
    /// Counted from 1.
    pub(crate) line: usize,
    /// Without the brackets, literals blanked.
    pub(crate) inside: String,
}

/// All attributes in text from [`code_only`].
pub(crate) fn attributes(code: &str) -> Vec<Attribute> {
    let mut found = Vec::new();
    for (start, _) in code.match_indices('#') {
        let after = code[start + 1..].trim_start_matches('!');
        if let Some(inside) = after.strip_prefix('[') {
            let line = code[..start].matches('\n').count() + 1;
            found.push(Attribute {
                line,
                inside: inside[..bracketed(inside)].to_owned(),
            });
        }
    }
    found
}

/// The length up to the bracket that closes one which stands just before.
pub(crate) fn bracketed(inside: &str) -> usize {
    let mut depth = 1_usize;
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            b'[' | b'(' | b'{' => depth += 1,
            b']' | b')' | b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    inside.len()
}

/// The words of a piece of code.
pub(crate) fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `code` with the parts marked by `«…»` expected to be blanked.
    fn check(marked: &str) {
        let text: String = marked.replace(['«', '»'], "");
        let expected: String = marked
            .split('«')
            .enumerate()
            .map(|(index, part)| match part.split_once('»') {
                Some((inside, after)) if index > 0 => {
                    let blanked: String =
                        inside.bytes().map(|byte| char::from(blank(byte))).collect();
                    blanked + after
                }
                _ => part.to_owned(),
            })
            .collect();
        assert_eq!(code_only(&text), expected);
    }

    #[test]
    fn comments_are_blanked() {
        check("a «// b \"c\"»\nd");
        check("a «/* b /* c */ \n d */» e");
    }

    #[test]
    fn strings_are_blanked() {
        check(r#"f(«"a \" // b"», x)"#);
        check("f(«b\"a\"», «r\"\\\"», «r#\"a\"b\"#», «br##\"\"#\"##»)");
        check("let r#type = «\"ä\"»;");
    }

    #[test]
    fn characters_are_told_from_lifetimes() {
        check("fn f<'a>(x: &'a str) -> char { «'\"'» }");
        check(r"«'\''» «'ä'» 'static");
    }

    #[test]
    fn attributes_are_found_with_their_line() {
        let code = code_only("//! x\n#![cfg(a)]\n#[cfg_attr(b, ignore = \"]\")]\nfn f() { a[0] }");
        let found: Vec<_> = attributes(&code)
            .into_iter()
            .map(|it| (it.line, it.inside))
            .collect();
        assert_eq!(found[0], (2, "cfg(a)".to_owned()));
        assert_eq!(found[1].0, 3);
        assert!(words(&found[1].1).eq(["cfg_attr", "b", "ignore"]));
        assert_eq!(found.len(), 2);
    }
}
