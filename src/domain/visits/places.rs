//! Rooms as the writer remembers them: to count those in one at each scan takes as long as the start
//! of a visit.

use super::queries::{self, Place};
use crate::base::Result;
use crate::base::id::RoomId;
use crate::event::Stale;
use crate::live::Tx;

/// Returns a room with what happens in it now, as [`queries::place`] does.
pub(super) fn place(tx: &mut Tx<'_>, room: RoomId) -> Result<Option<Place>> {
    let known: Option<Place> = tx.recall(Stale::Room(room));
    if known.is_some() {
        debug_assert_eq!(known, queries::place(tx, room)?, "what is remembered holds");
        return Ok(known);
    }
    let place = queries::place(tx, room)?;
    if let (Some(place), true) = (&place, tx.remembers()) {
        tx.remember(Stale::Room(room), place.clone());
    }
    Ok(place)
}

/// Notes that so many more are in a room than before.
pub(super) fn count(tx: &mut Tx<'_>, room: RoomId, more: i64) {
    tx.stale(Stale::Counts);
    tx.changes(Stale::Room(room), |place: &mut Place| place.count += more);
}
