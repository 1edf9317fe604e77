//! Tables of text.

/// How a column is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Left(&'static str),
    /// Numbers stand at the right.
    Right(&'static str),
}

impl Column {
    const fn name(self) -> &'static str {
        match self {
            Self::Left(name) | Self::Right(name) => name,
        }
    }
}

/// Rows below their heads, as wide as they need to be; empty without rows.
pub(crate) fn table(columns: &[Column], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let head: Vec<String> = columns
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    let width = |index: usize| {
        let cells = rows.iter().chain([&head]).filter_map(|row| row.get(index));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(columns).zip(&widths);
        let cells = cells.map(|((cell, column), width)| match column {
            Column::Left(_) => format!("{cell:<width$}"),
            Column::Right(_) => format!("{cell:>width$}"),
        });
        let cells: Vec<String> = cells.collect();
        format!("  {}\n", cells.join("  ").trim_end())
    };
    [&head].into_iter().chain(rows).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            vec!["µ".to_owned(), "12".to_owned()],
            vec!["long".to_owned(), "3".to_owned()],
        ];
        let text = table(&[Column::Left("a"), Column::Right("of")], &rows);
        assert_eq!(text, "  a     of\n  µ     12\n  long   3\n");
        assert_eq!(table(&[Column::Left("a")], &[]), "");
    }
}
