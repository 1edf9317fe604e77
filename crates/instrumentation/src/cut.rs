//! Texts from outside, within a bound.

/// The beginning of a text that is longer than `most` bytes, and a mark.
pub(crate) fn cut(text: &str, most: usize) -> Option<String> {
    if text.len() <= most {
        return None;
    }
    let (kept, _) = text.split_at(text.floor_char_boundary(most));
    Some(format!("{kept}… (cut)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("1234567890", 10), None);
        assert_eq!(cut("123456789éé", 10).as_deref(), Some("123456789… (cut)"));
    }
}
