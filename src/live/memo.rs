//! What the writer remembers of the tables from one write to the next, so that it need not ask the
//! database each time. There is one writer, so that nobody else changes them meanwhile.
//!
//! What is remembered of a figure ([`Stale`]) is forgotten by the write that makes it stale, unless
//! that says how it changes. What is known from some tables is forgotten by each statement that
//! writes to one of them, unless whoever runs it notes the change (`Tx::sparing`). All of it is
//! forgotten as soon as it might not hold: when a write or a commit has failed, and when another
//! process has written.

use std::any::{Any, TypeId};
use std::collections::HashMap;

use crate::event::Stale;

type Value = Box<dyn Any + Send>;

/// What is remembered.
#[derive(Default)]
pub(super) struct Memo {
    figures: HashMap<Stale, Value>,
    /// A handful, looked through at each statement.
    known: Vec<Known>,
}

/// What is known from some tables, by its type.
struct Known {
    kind: TypeId,
    tables: Tables,
    value: Value,
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
        let kind = TypeId::of::<T>();
        let place = self.known.iter().position(|known| known.kind == kind);
        let place = place.unwrap_or_else(|| {
            self.known.push(Known { kind, tables, value: Box::new(T::default()) });
            self.known.len() - 1
        });
        self.known.get_mut(place)?.value.downcast_mut()
    }

    /// Forgets what a statement may have changed, but for what is known as a `spared` type.
    pub fn written_by(&mut self, sql: &str, spared: Option<TypeId>) {
        match table_of(sql) {
            Some(table) => self
                .known
                .retain(|known| spared == Some(known.kind) || !known.tables.contains(&table)),
            None => self.forget_all(),
        }
    }

    pub fn forget_all(&mut self) {
        self.figures.clear();
        self.known.clear();
    }
}

/// Returns the table that a writing statement writes to, where its text begins with a plain name of
/// one. Asked at each such statement, so that it does no more than it must.
fn table_of(sql: &str) -> Option<&str> {
    let verbs = ["insert into ", "insert or fail into ", "update ", "delete from "];
    let rest = verbs.iter().find_map(|verb| sql.strip_prefix(verb))?;
    let end = rest.bytes().position(|byte| byte.is_ascii_whitespace());
    let table = end.map_or(rest, |end| rest.get(..end).unwrap_or(rest));
    let quoted = table.strip_prefix('"').and_then(|table| table.strip_suffix('"'));
    let plain = |table: &&str| table.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    Some(quoted.unwrap_or(table)).filter(plain).filter(|table| !table.is_empty())
}

#[cfg(test)]
mod tests {
    use std::any::TypeId;

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
        memo.written_by("insert into visit (person_id) values (1)", None);
        assert_eq!(known(&mut memo), 7);
        memo.written_by("update \"group\" set name = 'a'", Some(TypeId::of::<i64>()));
        assert_eq!(known(&mut memo), 7);
        memo.written_by("update \"group\" set name = 'a'", Some(TypeId::of::<i32>()));
        assert_eq!(known(&mut memo), 0);
        *memo.known::<i64>(&["person", "group"]).unwrap() = 7;
        // What it cannot read may have written anything.
        let unread = "with a as (select 1) insert into visit select * from a";
        memo.written_by(unread, Some(TypeId::of::<i64>()));
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
            ("insert into visit(a) values (1)", None),
            ("delete from visit;", None),
            ("insert", None),
            ("", None),
        ];
        for (sql, table) in texts {
            assert_eq!(table_of(sql), table, "{sql}");
        }
    }
}
