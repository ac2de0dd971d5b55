//! The scans that were decided, kept with the answers that were given, and the last one of each
//! badge, as the writer remembers it: each scan asks for it.

use std::collections::{BTreeSet, HashMap};

use rusqlite::params;

use super::bearers::Bearer;
use super::scan::{Scan, ScanResult};
use crate::base::id::{BadgeId, DeviceId, PersonId};
use crate::base::{Result, Timestamp, text};
use crate::live::Tx;
use crate::live::memo::Tables;
use crate::store::rows::{self, FromRow, Row};

/// A scan that was decided before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Earlier {
    pub scan_id: String,
    pub tag: String,
    /// The answer that was given, as JSON.
    pub result: String,
}

/// Where and when something was scanned last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LastScan {
    number: i64,
    device: DeviceId,
    at: Timestamp,
}

/// What each scan asks for: the last scan of its badge, and whether its id is new.
#[derive(Default)]
struct Remembered {
    last: HashMap<BadgeId, LastScan>,
    ids: Ids,
}

/// Where it stands. A badge that is gone takes its last scan with it, a person their badges.
const FROM: Tables = &["scan", "last_scan", "badge", "person"];

/// The ids that come last in their order. Most readers make them in the order of time (a ULID), so
/// that a new one comes after nearly all of before, and need not be looked for. One that is made by
/// chance is looked for, and so are all in a house whose readers do that.
#[derive(Default)]
struct Ids {
    /// All ids that come after this one are in `greatest`. None when nothing is known of ids.
    known_after: Option<String>,
    greatest: BTreeSet<String>,
}

/// How many ids are remembered, and how many are read when none is.
const IDS_MAX: usize = 1024;
const IDS_READ: usize = 64;

/// Returns the scan that makes this one a repeat (the same id) or, else, the
/// second of a double tap: the last one of its badge (or of a tag that is nobody's), at the same reader.
pub(super) fn scan_before(
    tx: &Tx<'_>,
    device: DeviceId,
    scan: &Scan,
    bearer: Option<&Bearer>,
    at: Timestamp,
    within_ms: u64,
) -> Result<Option<Earlier>> {
    let same_id = || {
        rows::maybe(
            tx,
            "select scan_id, tag, result
             from scan
             where scan_id = ?1 and device_id = ?2",
            params![scan.scan_id, device],
        )
    };
    if is_new(tx, &scan.scan_id)? {
        debug_assert_eq!(same_id()?, None, "what is remembered holds");
    } else if let Some(repeated) = same_id()? {
        return Ok(Some(repeated));
    }
    let last = match bearer {
        Some(bearer) => last_of(tx, bearer.badge)?,
        None => last_unknown(tx, &scan.tag)?,
    };
    let double = |last: &LastScan| last.device == device && last.at.0.abs_diff(at.0) <= within_ms;
    let Some(last) = last.filter(double) else { return Ok(None) };
    rows::maybe(
        tx,
        "select scan_id, tag, result
         from scan
         where scan_number = ?1",
        params![last.number],
    )
}

/// Keeps a scan with the answer that was given to it.
pub(super) fn keep(
    tx: &Tx<'_>,
    device: DeviceId,
    scan: &Scan,
    bearer: Option<&Bearer>,
    at: Timestamp,
    result: &ScanResult,
) -> Result<()> {
    let person: Option<PersonId> = bearer.map(|bearer| bearer.who.id);
    let number = rows::insert(
        &tx.sparing::<Remembered>(),
        "insert into scan (device_id, scan_id, tag, person_id, scanned_at, received_at, outcome,
                           result)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            device,
            scan.scan_id,
            scan.tag,
            person,
            at,
            tx.now,
            result.outcome,
            text::json(result)?
        ],
    )?;
    tx.known(FROM, |all: &mut Remembered| all.ids.note(&scan.scan_id));
    match bearer {
        Some(bearer) => note_last(tx, bearer.badge, LastScan { number, device, at }),
        None => note_unknown(tx, &scan.tag, number),
    }
}

/// Says that no scan has this id, of whatever reader. Where it does not, there may be one.
fn is_new(tx: &Tx<'_>, id: &str) -> Result<bool> {
    if let Some(lacked) = tx.known(FROM, |all: &mut Remembered| all.ids.lack(id)) {
        return Ok(lacked);
    }
    if !tx.remembers() {
        return Ok(false);
    }
    let greatest = rows::all(
        tx,
        "select scan_id
         from scan
         order by scan_id desc
         limit ?1",
        params![IDS_READ as i64],
    )?;
    let ids = Ids::read(greatest);
    let lacked = ids.lack(id).unwrap_or_default();
    tx.known(FROM, |all: &mut Remembered| all.ids = ids);
    Ok(lacked)
}

impl Ids {
    /// Returns what is known after the greatest ids were read, at most so many as are.
    fn read(greatest: Vec<String>) -> Ids {
        let all = greatest.len() < IDS_READ;
        let mut greatest = BTreeSet::from_iter(greatest);
        let first = if all { None } else { greatest.pop_first() };
        Ids { known_after: Some(first.unwrap_or_default()), greatest }
    }

    /// Says that no scan has this id; none when that would have to be read.
    fn lack(&self, id: &str) -> Option<bool> {
        self.known_after.as_deref().map(|first| id > first && !self.greatest.contains(id))
    }

    fn note(&mut self, id: &str) {
        if self.lack(id) == Some(true) {
            self.greatest.insert(id.to_owned());
        }
        if self.greatest.len() >= IDS_MAX {
            while self.greatest.len() > IDS_MAX / 2 {
                self.known_after = self.greatest.pop_first();
            }
        }
    }
}

/// Returns the last scan of a badge.
fn last_of(tx: &Tx<'_>, badge: BadgeId) -> Result<Option<LastScan>> {
    let read = || {
        rows::maybe(
            tx,
            "select scan_number, device_id, scanned_at
             from last_scan
             join scan using (scan_number)
             where badge_id = ?1",
            params![badge],
        )
    };
    let known = tx.known(FROM, |all: &mut Remembered| all.last.get(&badge).copied());
    if known.is_some() {
        debug_assert_eq!(known, read()?, "what is remembered holds");
        return Ok(known);
    }
    read()
}

fn note_last(tx: &Tx<'_>, badge: BadgeId, last: LastScan) -> Result<()> {
    rows::run(
        &tx.sparing::<Remembered>(),
        "insert into last_scan (badge_id, scan_number)
         values (?1, ?2)
         on conflict (badge_id) do update set scan_number = excluded.scan_number",
        params![badge, last.number],
    )?;
    tx.known(FROM, |all: &mut Remembered| all.last.insert(badge, last));
    Ok(())
}

/// Returns the last scan of a tag that is nobody's. There is no end of those: they are not
/// remembered.
fn last_unknown(tx: &Tx<'_>, tag: &str) -> Result<Option<LastScan>> {
    rows::maybe(
        tx,
        "select scan_number, device_id, scanned_at
         from last_unknown_scan
         join scan using (scan_number)
         where last_unknown_scan.tag = ?1",
        params![tag],
    )
}

fn note_unknown(tx: &Tx<'_>, tag: &str, number: i64) -> Result<()> {
    rows::run(
        tx,
        "insert into last_unknown_scan (tag, scan_number)
         values (?1, ?2)
         on conflict (tag) do update set scan_number = excluded.scan_number",
        params![tag, number],
    )?;
    Ok(())
}

impl FromRow for LastScan {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<LastScan> {
        Ok(LastScan {
            number: row.next("scan_number")?,
            device: row.next("device_id")?,
            at: row.next("scanned_at")?,
        })
    }
}

impl FromRow for Earlier {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Earlier> {
        Ok(Earlier {
            scan_id: row.next("scan_id")?,
            tag: row.next("tag")?,
            result: row.next("result")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{IDS_MAX, IDS_READ, Ids};

    fn names(range: std::ops::Range<usize>) -> Vec<String> {
        range.map(|number| format!("{number:08}")).collect()
    }

    #[test]
    fn an_id_is_called_new_only_when_none_can_be_the_same() {
        let mut ids = Ids::default();
        assert_eq!(ids.lack("M"), None);
        ids.note("M");
        assert_eq!(ids.lack("M"), None);

        let mut ids = Ids::read(names(100..100 + IDS_READ));
        let lacks = |ids: &Ids, id| ids.lack(id).unwrap();
        assert!(!lacks(&ids, "00000099") && !lacks(&ids, "00000100") && !lacks(&ids, "00000101"));
        assert!(lacks(&ids, "0000010000") && lacks(&ids, "P"));
        ids.note("P");
        assert!(!lacks(&ids, "P") && lacks(&ids, "N") && lacks(&ids, "Q"));
        // Of so few, all have been read.
        let ids = Ids::read(names(100..101));
        assert!(lacks(&ids, "00000099") && !lacks(&ids, "00000100"));
    }

    #[test]
    fn so_many_ids_are_remembered_and_of_those_before_none_is_called_new() {
        let mut ids = Ids::read(Vec::new());
        let names = names(0..3 * IDS_MAX);
        for name in names.iter().rev().step_by(2) {
            ids.note(name);
            assert!(ids.greatest.len() < IDS_MAX);
        }
        for name in names.iter().rev().step_by(2) {
            assert_eq!(ids.lack(name), Some(false), "{name}");
        }
        assert_eq!(ids.lack("9"), Some(true));
    }

    #[test]
    fn an_id_that_comes_after_all_does_not_hide_that_others_are_new() {
        let mut ids = Ids::read(vec!["tap-1".into()]);
        for name in names(0..3 * IDS_MAX) {
            assert_eq!(ids.lack(&name), Some(true), "{name}");
            ids.note(&name);
        }
        assert_eq!(ids.lack("tap-1"), Some(false));
    }
}
