//! Text that stays text within the formats of reports, whoever named a test or a metric.

/// Text without a mark of Markdown or HTML, without a mention, on one line.
#[must_use]
pub fn markdown(text: &str) -> String {
    escaped(text, |character| match character {
        '@' => Some("&#64;"),
        '\\' => Some("\\\\"),
        '`' => Some("\\`"),
        '*' => Some("\\*"),
        '_' => Some("\\_"),
        '[' => Some("\\["),
        ']' => Some("\\]"),
        '|' => Some("\\|"),
        '~' => Some("\\~"),
        '!' => Some("\\!"),
        _ => None,
    })
}

/// Text within an attribute or an element of XML.
#[must_use]
pub fn xml(text: &str) -> String {
    escaped(text, |character| match character {
        '"' => Some("&quot;"),
        '\'' => Some("&apos;"),
        _ => None,
    })
}

/// Text without a mark of markup, and without those that a format has besides.
fn escaped(text: &str, own: impl Fn(char) -> Option<&'static str>) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // XML 1.0 has no way to write most of them.
            character if character.is_control() => escaped.push(' '),
            character => match own(character) {
                Some(text) => escaped.push_str(text),
                None => escaped.push(character),
            },
        }
    }
    escaped
}

/// Text for a terminal: no control character but line breaks, so that none moves the cursor or
/// changes its colour.
#[must_use]
pub fn terminal(text: &str) -> String {
    let plain = |character: char| match character {
        '\n' => '\n',
        character if character.is_control() => ' ',
        character => character,
    };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_becomes_a_mark() {
        assert_eq!(
            markdown("a|b <script>\n@team [x](y) `c`"),
            "a\\|b &lt;script&gt; &#64;team \\[x\\](y) \\`c\\`"
        );
        assert_eq!(
            xml("<a b=\"c\">'&\u{1}"),
            "&lt;a b=&quot;c&quot;&gt;&apos;&amp; "
        );
        assert_eq!(terminal("a\u{1b}[2J\nb\r"), "a [2J\nb ");
    }
}
