//! Rows in the order of their ids, findable by id and by user, growing at the end.

use std::collections::{BTreeSet, HashMap};

/// A row of a [`Table`].
pub(crate) trait Row {
    fn id(&self) -> u32;

    /// What the table is indexed by: a user, as the row stores it.
    fn user(&self) -> u32;

    /// Milliseconds since 1970.
    fn updated(&self) -> i64;

    fn set_id(&mut self, id: u32);
}

/// Rows in the order of their ids. Four bytes a row for the index, because there are more than a million.
#[derive(Debug)]
pub(crate) struct Table<R> {
    rows: Vec<R>,
    /// Row numbers in the order of their users, for the rows of the beginning.
    by_user: Vec<u32>,
    /// The rows that came later, by user.
    later: HashMap<u32, Vec<u32>>,
    /// The last update of the beginning, and the rows that moved or came since.
    beginning: i64,
    moved: BTreeSet<u32>,
}

impl<R: Row> Table<R> {
    /// Takes rows in the order in which their ids have to rise, and gives them ids, about `step` apart.
    pub(crate) fn new(mut rows: Vec<R>, first_id: u32, step: u32) -> Self {
        rows.shrink_to_fit();
        let mut id = first_id;
        for (number, row) in rows.iter_mut().enumerate() {
            row.set_id(id);
            // Gaps of all sizes between 1 and 2 * step - 1, as deleted rows leave them.
            let hash = (number as u32).wrapping_mul(2_654_435_761) >> 7;
            id += 1 + hash % (2 * step - 1);
        }
        let mut by_user: Vec<u32> = (0..rows.len() as u32).collect();
        by_user.sort_by_key(|row| rows[*row as usize].user());
        let beginning = rows.iter().map(Row::updated).max().unwrap_or(i64::MIN);
        Self { rows, by_user, later: HashMap::new(), beginning, moved: BTreeSet::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn row(&self, row: u32) -> &R {
        &self.rows[row as usize]
    }

    /// A row that is updated.
    pub(crate) fn row_mut(&mut self, row: u32) -> &mut R {
        self.moved.insert(row);
        &mut self.rows[row as usize]
    }

    /// A row that changes without an update.
    pub(crate) fn row_silently(&mut self, row: u32) -> &mut R {
        &mut self.rows[row as usize]
    }

    /// All rows updated at or after an instant, and maybe others; nothing where that may be any row.
    pub(crate) fn since(&self, instant: i64) -> Option<Vec<u32>> {
        (instant > self.beginning).then(|| self.moved.iter().copied().collect())
    }

    /// The row with an id.
    pub(crate) fn find(&self, id: &str) -> Option<u32> {
        self.find_id(id.parse().ok()?)
    }

    pub(crate) fn find_id(&self, id: u32) -> Option<u32> {
        self.rows.binary_search_by_key(&id, Row::id).ok().map(|row| row as u32)
    }

    /// The rows of a user, ids rising.
    pub(crate) fn of_user(&self, user: u32) -> Vec<u32> {
        let user_of = |row: &u32| self.rows[*row as usize].user();
        let from = self.by_user.partition_point(|row| user_of(row) < user);
        let to = self.by_user.partition_point(|row| user_of(row) <= user);
        let mut rows = self.by_user[from..to].to_vec();
        rows.extend(self.later.get(&user).into_iter().flatten());
        rows
    }

    /// Adds a row above all ids; gives its row number.
    pub(crate) fn push(&mut self, mut row: R) -> u32 {
        let number = self.rows.len() as u32;
        row.set_id(self.rows.last().map_or(1, |last| last.id() + 1));
        self.later.entry(row.user()).or_default().push(number);
        self.rows.push(row);
        self.moved.insert(number);
        number
    }
}

/// The row of a sorted list whose id is written in `text`.
pub(crate) fn find_sorted<T>(rows: &[T], id_of: impl Fn(&T) -> i64, text: &str) -> Option<u32> {
    let id: i64 = text.parse().ok()?;
    rows.binary_search_by_key(&id, id_of).ok().map(|row| row as u32)
}
