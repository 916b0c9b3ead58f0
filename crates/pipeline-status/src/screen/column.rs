//! Columns of a table: as many as there is room for, the most important ones.

use crate::row::{Row, Tone};

/// A column, and the cell that it has in each row.
pub(super) struct Column<'a, T> {
    pub(super) title: String,
    /// The space before it included.
    pub(super) width: usize,
    /// Where there is no room for all, those of higher rank go first.
    pub(super) rank: u32,
    pub(super) cell: Box<dyn Fn(&T) -> Row + 'a>,
}

impl<'a, T> Column<'a, T> {
    pub(super) fn new(title: &str, width: usize, rank: u32, cell: impl Fn(&T) -> Row + 'a) -> Self {
        Self { title: title.to_owned(), width, rank, cell: Box::new(cell) }
    }
}

/// Those that fit beside a first column of names, in their order.
pub(super) fn fitting<'a, T>(mut columns: Vec<Column<'a, T>>, width: usize) -> Vec<Column<'a, T>> {
    while columns.iter().map(|column| column.width).sum::<usize>() > width {
        let last = columns.iter().enumerate().max_by_key(|(_, column)| column.rank);
        let Some((position, _)) = last else { break };
        columns.remove(position);
    }
    columns
}

/// The titles.
pub(super) fn head<T>(name: Row, columns: &[Column<'_, T>]) -> Row {
    let title = |column: &Column<'_, T>| Row::of(Tone::Faint, &column.title).right(column.width);
    columns.iter().map(title).fold(name, Row::join)
}

/// The cells.
pub(super) fn cells<T>(name: Row, columns: &[Column<'_, T>], of: &T) -> Row {
    let cell = |column: &Column<'_, T>| (column.cell)(of).cut(column.width - 1).right(column.width);
    columns.iter().map(cell).fold(name, Row::join)
}
