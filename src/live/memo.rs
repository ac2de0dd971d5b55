//! What the writer remembers of the tables from one write to the next, so that it need not ask the
//! database each time. There is one writer, so that nobody else changes them meanwhile.
//!
//! What is remembered of a figure ([`Stale`]) is forgotten by the write that makes it stale, unless
//! that says how it changes. What is known from some tables is forgotten by each statement that
//! writes to one of them. All of it is forgotten as soon as it might not hold: when a write or a
//! commit has failed, and when another process has written.

use std::any::{Any, TypeId};
use std::collections::HashMap;

use crate::event::Stale;

type Value = Box<dyn Any + Send>;

/// What is remembered.
#[derive(Default)]
pub(super) struct Memo {
    figures: HashMap<Stale, Value>,
    /// By its type, with the tables that it was read from.
    known: HashMap<TypeId, (Tables, Value)>,
}

/// Names of tables.
pub type Tables = &'static [&'static str];

impl Memo {
    pub fn recall<T: Clone + 'static>(&self, figure: Stale) -> Option<T> {
        self.figures.get(&figure)?.downcast_ref().cloned()
    }

    pub fn remember<T: Send + 'static>(&mut self, figure: Stale, value: T) {
        self.figures.insert(figure, Box::new(value));
    }

    pub fn change<T: 'static>(&mut self, figure: Stale, change: impl FnOnce(&mut T)) {
        match self.figures.get_mut(&figure).and_then(|value| value.downcast_mut()) {
            Some(value) => change(value),
            None => self.forget(figure),
        }
    }

    pub fn forget(&mut self, figure: Stale) {
        self.figures.remove(&figure);
    }

    /// Returns what is known from `tables`, which is a type's default before anything is.
    pub fn known<T: Default + Send + 'static>(&mut self, tables: Tables) -> Option<&mut T> {
        let value = || (tables, Box::new(T::default()) as Value);
        let (_, known) = self.known.entry(TypeId::of::<T>()).or_insert_with(value);
        known.downcast_mut()
    }

    /// Forgets what a statement may have changed.
    pub fn written_by(&mut self, sql: &str) {
        match table_of(sql) {
            Some(table) => self.known.retain(|_, (tables, _)| !tables.contains(&table)),
            None => self.forget_all(),
        }
    }

    pub fn forget_all(&mut self) {
        self.figures.clear();
        self.known.clear();
    }
}

/// Returns the table that a statement writes to, where its text begins with that.
fn table_of(sql: &str) -> Option<&str> {
    let mut words = sql.split_ascii_whitespace();
    let table = match words.next()? {
        "insert" => words.skip_while(|word| *word != "into").nth(1),
        "update" => words.next(),
        "delete" => words.nth(1),
        _ => None,
    };
    table.map(|table| table.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::{Memo, table_of};
    use crate::base::id::RoomId;
    use crate::event::Stale;

    #[test]
    fn a_value_is_recalled_as_it_was_changed_until_it_is_forgotten() {
        let (room, other) = (Stale::Room(RoomId(1)), Stale::Room(RoomId(2)));
        let mut memo = Memo::default();
        memo.change(room, |count: &mut i64| *count += 1);
        assert_eq!(memo.recall::<i64>(room), None);
        memo.remember(room, 5_i64);
        memo.remember(other, 7_i64);
        memo.change(room, |count: &mut i64| *count += 1);
        assert_eq!((memo.recall(room), memo.recall(other)), (Some(6_i64), Some(7_i64)));
        memo.forget(other);
        assert_eq!((memo.recall(room), memo.recall::<i64>(other)), (Some(6_i64), None));
        memo.forget_all();
        assert_eq!(memo.recall::<i64>(room), None);
    }

    #[test]
    fn what_is_known_from_tables_is_forgotten_when_one_of_them_is_written() {
        let known = |memo: &mut Memo| *memo.known::<i64>(&["person", "group"]).unwrap();
        let mut memo = Memo::default();
        *memo.known::<i64>(&["person", "group"]).unwrap() = 7;
        memo.remember(Stale::Queue, 5_i64);
        memo.written_by("insert into visit (person_id) values (1)");
        assert_eq!(known(&mut memo), 7);
        memo.written_by("update \"group\" set name = 'a'");
        assert_eq!(known(&mut memo), 0);
        *memo.known::<i64>(&["person", "group"]).unwrap() = 7;
        // What it cannot read may have written anything.
        memo.written_by("with a as (select 1) insert into visit select * from a");
        assert_eq!((known(&mut memo), memo.recall::<i64>(Stale::Queue)), (0, None));
    }

    #[test]
    fn the_table_that_a_statement_writes_to_is_read_from_its_text() {
        let texts = [
            ("insert into visit (a) values (1)", Some("visit")),
            ("insert or fail into event_log (a)\n values (1)", Some("event_log")),
            ("update person\n set a = 1", Some("person")),
            ("delete from \"group\" where a = 1", Some("group")),
            ("with a as (select 1) delete from person", None),
            ("insert", None),
            ("", None),
        ];
        for (sql, table) in texts {
            assert_eq!(table_of(sql), table, "{sql}");
        }
    }
}
