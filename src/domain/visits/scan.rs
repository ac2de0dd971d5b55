//! Scans: what a badge that was held to a reader means.
//!
//! The server decides the direction; a reader only says what happened and when.
//! What is guaranteed, whatever the network does:
//!
//! - A scan id of a device is decided once; a repeat gets the stored result.
//! - A scan counts for the moment at which the badge was held, not at which it
//!   came: a reader that was cut off uploads its scans later, and each enters
//!   the run that was open in its room at that moment.
//! - Scans of one call are decided by that moment, whatever their order in it.
//! - Between calls, order only matters for one and the same person: as long as
//!   the scans of each person come in the order of tapping, the end is the same
//!   in whatever batches and from whatever readers they come.
//! - A scan that is older than what is known of its person never changes it. It
//!   is kept and put before a person. So the newest scan decides where somebody
//!   is; only when it is a second tap in the same room can a missing first tap
//!   turn its meaning round, and the review list shows that first tap.
//! - The end of a run is no news of those in it: a scan of before, heard of
//!   after, still tells that somebody had gone elsewhere by then.
//! - Nobody is turned away after the fact: a full room refuses who stands in
//!   front of the reader, not who has been inside since the reader was cut off.

use std::time::Duration;

use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::bearers::{self, Bearer};
use super::display::{self, Display};
use super::hand::{Hand, Verdict, Way};
use super::model::{Occupancy, Today};
use super::{kept, standings};
use crate::base::bounds::{AGE_MAX, AHEAD_MAX};
use crate::base::id::RoomId;
use crate::base::{Result, Timestamp};
use crate::domain::devices::model::{Intent, Mode, Scanner};
use crate::domain::people;
use crate::event::{Event, Label};
use crate::live::Tx;
use crate::store::rows;
use crate::words;

/// Two taps of one tag at one reader within this time are one.
const DOUBLE_TAP_MS: u64 = 1500;

/// A scan that comes within this time was made in front of a reader with a connection.
pub(super) const FRESH: Duration = Duration::from_secs(10);

/// How far apart two readers may see the same moment. A fresh scan that seems
/// older than the person's state by less than this has come after it.
const CLOCK_ERROR: Duration = Duration::from_secs(2);

words! {
    /// What became of a scan.
    Outcome {
        CheckedIn = "checked_in",
        CheckedOut = "checked_out",
        Transferred = "transferred",
        AlreadyIn = "already_in",
        LeftHouse = "left_house",
        StaffIn = "staff_in",
        StaffOut = "staff_out",
        Duplicate = "duplicate",
        UnknownTag = "unknown_tag",
        Rejected = "rejected",
        NeedsReview = "needs_review",
    }
}

words! {
    /// Why a scan was rejected.
    Code {
        BadgeBlocked = "badge.blocked",
        RoomFull = "room.full",
        RunNone = "run.none",
        MemberInactive = "member.inactive",
        ScanIdReused = "scan.id_reused",
    }
}

words! {
    /// Why a person must look at a scan.
    Why { Late = "late", Future = "future", TooOld = "too_old", UnknownTag = "unknown_tag" }
}

/// When a badge was held, as its reader tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// So many milliseconds ago, by a clock that no one sets.
    AgeMs(i64),
    /// At this time of the reader's own clock.
    DeviceClock(Timestamp),
    /// Just now.
    Now,
}

/// A badge that was held to a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Made by the reader, one per tap.
    pub scan_id: String,
    /// Upper case hex without separators.
    pub tag: String,
    pub at: When,
    pub intent: Intent,
    /// Where a carried reader stands.
    pub room: Option<RoomId>,
    /// The reader's count of taps; decides between two of the same millisecond.
    pub seq: Option<i64>,
}

/// The answer to a scan; kept, and given again to a repeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ScanResult {
    pub scan_id: String,
    #[schema(inline)]
    pub outcome: Outcome,
    /// Why it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub code: Option<Code>,
    pub display: Display,
    /// How full the room is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occupancy: Option<Occupancy>,
}

/// Decides one scan; see [`scan_all`].
pub fn scan(tx: &mut Tx<'_>, scanner: &Scanner, scan: &Scan) -> Result<ScanResult> {
    let today = Today::now(tx)?;
    let at = moment(tx.now, scanner, scan.at);
    decide_once(tx, scanner, &today, scan, at)
}

/// Decides the scans of one call in the order of their moments, and returns the
/// results in the order of the call.
pub fn scan_all(tx: &mut Tx<'_>, scanner: &Scanner, scans: &[Scan]) -> Result<Vec<ScanResult>> {
    let today = Today::now(tx)?;
    let mut by_moment: Vec<(usize, Timestamp, &Scan)> = scans
        .iter()
        .enumerate()
        .map(|(place, scan)| (place, moment(tx.now, scanner, scan.at), scan))
        .collect();
    by_moment.sort_by_key(|(_, at, scan)| (*at, scan.seq));
    let mut results = Vec::with_capacity(scans.len());
    for (place, at, scan) in by_moment {
        results.push((place, decide_once(tx, scanner, &today, scan, at)?));
    }
    results.sort_by_key(|(place, _)| *place);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

/// When the badge was held, as well as we know.
fn moment(now: Timestamp, scanner: &Scanner, at: When) -> Timestamp {
    match at {
        When::AgeMs(age) => Timestamp(now.0.saturating_sub(age.max(0))),
        When::DeviceClock(at) => by_clock(now, scanner, at),
        When::Now => now,
    }
}

/// A reader that was behind at its last heartbeat, and has set its clock since, is right as it is.
/// What was known of it would have the badge held in the future.
fn by_clock(now: Timestamp, scanner: &Scanner, at: Timestamp) -> Timestamp {
    let corrected = Timestamp(at.0.saturating_sub(scanner.skew_ms));
    let latest = now.plus(AHEAD_MAX);
    let may_be_right = at >= now.minus(AGE_MAX) && at <= latest;
    if corrected > latest && may_be_right { at } else { corrected }
}

fn decide_once(
    tx: &mut Tx<'_>,
    scanner: &Scanner,
    today: &Today,
    scan: &Scan,
    at: Timestamp,
) -> Result<ScanResult> {
    let bearer = bearers::bearer(tx, &scan.tag)?;
    let bearer = bearer.as_deref();
    let earlier = kept::scan_before(tx, scanner.device, scan, bearer, at, DOUBLE_TAP_MS)?;
    if let Some(earlier) = earlier {
        let mut result: ScanResult =
            serde_json::from_str(&earlier.result).map_err(anyhow::Error::from)?;
        if earlier.scan_id == scan.scan_id {
            return Ok(if earlier.tag == scan.tag { result } else { reused(scanner, scan) });
        }
        result.scan_id.clone_from(&scan.scan_id);
        result.outcome = Outcome::Duplicate;
        result.code = None;
        kept::keep(tx, scanner.device, scan, bearer, at, &result)?;
        return Ok(result);
    }
    if let Some(bearer) = bearer {
        tx.knows(bearer.who.id, bearer.display_name.clone());
    }
    let verdict = match bearer {
        None => Verdict { why: Some(Why::UnknownTag), ..Verdict::of(Outcome::UnknownTag) },
        Some(bearer) if !bearer.badge_active => Verdict::rejected(Code::BadgeBlocked),
        Some(bearer) if !bearer.active => Verdict::rejected(Code::MemberInactive),
        Some(bearer) => decide(tx, scanner, today, scan, at, bearer)?,
    };
    let result = answer(scanner, scan, bearer, &verdict);
    kept::keep(tx, scanner.device, scan, bearer, at, &result)?;
    if let Some(why) = verdict.why {
        put_on_review(tx, scanner, scan, why)?;
    }
    Ok(result)
}

fn decide(
    tx: &mut Tx<'_>,
    scanner: &Scanner,
    today: &Today,
    scan: &Scan,
    at: Timestamp,
    bearer: &Bearer,
) -> Result<Verdict> {
    if at > tx.now.plus(AHEAD_MAX) {
        return Ok(Verdict::review(Why::Future));
    }
    if at < tx.now.minus(AGE_MAX) {
        return Ok(Verdict::review(Why::TooOld));
    }
    // What was before the last close was closed with it.
    let at = at.min(tx.now);
    if at < today.last_close(tx.now) {
        return Ok(Verdict::review(Why::Late));
    }
    let standing = standings::standing(tx, bearer.who.id, today)?;
    let Some(at) = in_order(tx.now, at, standing.newest()) else {
        return Ok(Verdict::review(Why::Late));
    };
    let hand = Hand { who: &bearer.who, today, standing: &standing, at };
    if bearer.role.works_here() {
        hand.staff(tx, way(scanner, scan))
    } else {
        hand.member(tx, scanner, way(scanner, scan))
    }
}

/// The moment that a scan counts for; none when the person's state is newer.
fn in_order(now: Timestamp, at: Timestamp, newest: Option<Timestamp>) -> Option<Timestamp> {
    let Some(newest) = newest.filter(|newest| at < *newest) else { return Some(at) };
    let is_fresh = at >= now.minus(FRESH);
    // What is known from the future was told by a clock that has been put back since.
    let is_after_all = newest <= at.plus(CLOCK_ERROR) || newest > now;
    (is_fresh && is_after_all).then_some(newest)
}

fn way(scanner: &Scanner, scan: &Scan) -> Way {
    match (scanner.mode, scan.intent) {
        (Mode::DoorIn, Intent::Out) | (Mode::DoorOut, Intent::Auto | Intent::Out) => Way::Out,
        (Mode::DoorIn, Intent::Auto | Intent::In) | (Mode::DoorOut, Intent::In) => Way::In,
        (Mode::Toggle, _) => Way::Toggle,
        (Mode::Room, _) => Way::Room(scanner.room.or(scan.room)),
        (Mode::Kiosk, _) => match scan.room.or(scanner.room) {
            None => Way::Toggle,
            room => Way::Room(room),
        },
    }
}

/// Puts a verdict into the words of the reader.
fn answer(
    scanner: &Scanner,
    scan: &Scan,
    bearer: Option<&Bearer>,
    verdict: &Verdict,
) -> ScanResult {
    let greets = !matches!(verdict.outcome, Outcome::Rejected | Outcome::NeedsReview);
    let name = bearer
        .filter(|_| greets)
        .and_then(|bearer| display::name(scanner, &bearer.given_name, &bearer.display_name));
    let place = verdict.place.as_ref();
    let room = place.map(|place| place.room_name.as_str());
    let (outcome, code) = (verdict.outcome, verdict.code);
    ScanResult {
        scan_id: scan.scan_id.clone(),
        outcome,
        code,
        display: display::display(scanner.language, outcome, code, name.as_deref(), room),
        occupancy: place.map(|place| Occupancy {
            room_id: place.room,
            count: place.count,
            capacity: place.capacity,
        }),
    }
}

/// The answer to a scan id that stands for another badge already: a defect of
/// the reader, and nothing is kept of it.
fn reused(scanner: &Scanner, scan: &Scan) -> ScanResult {
    answer(scanner, scan, None, &Verdict::rejected(Code::ScanIdReused))
}

fn put_on_review(tx: &mut Tx<'_>, scanner: &Scanner, scan: &Scan, why: Why) -> Result<()> {
    rows::insert(
        tx,
        "insert into scan_review (device_id, scan_id, why, created_at)
         values (?1, ?2, ?3, ?4)",
        params![scanner.device, scan.scan_id, why, tx.now],
    )?;
    tx.emit(match why {
        Why::UnknownTag => Event::ScanUnknown {
            device_id: scanner.device,
            tag_suffix: Label(people::rules::tag_suffix(&scan.tag).to_owned()),
        },
        Why::Late | Why::Future | Why::TooOld => Event::ScanNeedsReview {
            device_id: scanner.device,
            scan_id: Label(scan.scan_id.clone()),
            why: why.word(),
        },
    })
}
