//! What the writer remembers of the tables from one write to the next, so that it need not ask the
//! database each time. There is one writer, so that nobody else changes them meanwhile.
//!
//! What is remembered belongs to a figure ([`Stale`]): a write that makes the figure stale has it
//! forgotten, or says how it changes. What belongs to none is known by its type, and forgotten by
//! the write that changes it. All of it is forgotten as soon as it might not hold: when a write or
//! a commit has failed, and when another process has written.

use std::any::{Any, TypeId};
use std::collections::HashMap;

use crate::event::Stale;

/// What is remembered.
#[derive(Default)]
pub(super) struct Memo(HashMap<Key, Box<dyn Any + Send>>);

/// What something remembered belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Figure(Stale),
    Type(TypeId),
}

impl From<Stale> for Key {
    fn from(figure: Stale) -> Key {
        Key::Figure(figure)
    }
}

impl Key {
    /// Returns the key of what is known by its type.
    pub fn of<T: 'static>() -> Key {
        Key::Type(TypeId::of::<T>())
    }
}

impl Memo {
    pub fn recall<T: Clone + 'static>(&self, key: impl Into<Key>) -> Option<T> {
        self.0.get(&key.into())?.downcast_ref().cloned()
    }

    pub fn remember<T: Send + 'static>(&mut self, key: impl Into<Key>, value: T) {
        self.0.insert(key.into(), Box::new(value));
    }

    pub fn change<T: 'static>(&mut self, figure: Stale, change: impl FnOnce(&mut T)) {
        match self.0.get_mut(&figure.into()).and_then(|value| value.downcast_mut()) {
            Some(value) => change(value),
            None => self.forget(figure),
        }
    }

    pub fn forget(&mut self, key: impl Into<Key>) {
        self.0.remove(&key.into());
    }

    pub fn forget_all(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, Memo};
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
        memo.remember(Key::of::<i64>(), 9_i64);
        assert_eq!((memo.recall(room), memo.recall(Key::of::<i64>())), (Some(6_i64), Some(9_i64)));
        memo.forget_all();
        assert_eq!((memo.recall::<i64>(room), memo.recall::<i64>(Key::of::<i64>())), (None, None));
    }
}
