//! The event catalogue: every fact the server announces, in one list.
//!
//! An [`Event`] is logged, has a position and is replayed. A
//! [`signal::Signal`] is passing state (counts, presence), never logged. An
//! event holds ids, numbers and closed words; the one name that a frame shows
//! is joined when the frame is encoded, from the event's subject.

pub mod charge;
pub mod cursor;
pub mod signal;
pub mod topic;
pub mod wire;

use serde::Serialize;

use crate::base::Timestamp;
use crate::base::id::{
    ActivityId, DeviceId, GroupId, HelpRequestId, OfferId, PersonId, RoomId, RunId, VisitId,
};

pub use charge::Charge;
pub use cursor::Cursor;
pub use signal::{Signal, Stale};
pub use topic::Topic;

/// The name of a thing (an activity, a firmware, a book) or a closed word.
/// Never the name or words of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Label(pub String);

/// A fact that has happened. What is not a field here cannot leak to a subscriber.
///
/// Fields that are not serialised only decide the audience.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Event {
    // people
    AccountSignedIn {
        user_id: PersonId,
        role: &'static str,
        #[serde(skip)]
        groups: Vec<GroupId>,
        #[serde(skip)]
        run: Option<RunId>,
    },
    AccountSignedOut {
        user_id: PersonId,
        role: &'static str,
        #[serde(skip)]
        groups: Vec<GroupId>,
        #[serde(skip)]
        run: Option<RunId>,
    },

    // rooms
    AccessChanged {
        #[serde(skip)]
        user_id: PersonId,
        added: Vec<Topic>,
        removed: Vec<Topic>,
    },
    RunStarted {
        run_id: RunId,
        activity_id: ActivityId,
        activity_name: Label,
        room_id: RoomId,
        staff_ids: Vec<PersonId>,
    },
    RunUpdated {
        run_id: RunId,
        activity_id: ActivityId,
        activity_name: Label,
        room_id: RoomId,
        staff_ids: Vec<PersonId>,
    },
    RunEnded {
        run_id: RunId,
        activity_id: ActivityId,
        activity_name: Label,
        room_id: RoomId,
        staff_ids: Vec<PersonId>,
        reason: &'static str,
        undo_until: Option<Timestamp>,
    },
    RunReopened {
        run_id: RunId,
        activity_id: ActivityId,
        activity_name: Label,
        room_id: RoomId,
        staff_ids: Vec<PersonId>,
    },
    SupervisionChanged {
        #[serde(flatten)]
        charge: Charge,
        staff_ids: Vec<PersonId>,
        from: Option<PersonId>,
        to: Option<PersonId>,
    },

    SupervisionOffered {
        offer_id: OfferId,
        #[serde(flatten)]
        charge: Charge,
        kind: &'static str,
        from: PersonId,
        to: PersonId,
        until: Option<Timestamp>,
    },
    SupervisionOfferEnded {
        offer_id: OfferId,
        #[serde(flatten)]
        charge: Charge,
        from: PersonId,
        to: PersonId,
        outcome: &'static str,
    },

    // visits
    AttendanceCheckedIn {
        member_id: PersonId,
        at: Timestamp,
        late: bool,
        source: &'static str,
        #[serde(skip)]
        groups: Vec<GroupId>,
    },
    AttendanceCheckedOut {
        member_id: PersonId,
        at: Timestamp,
        source: &'static str,
        reason: &'static str,
        #[serde(skip)]
        groups: Vec<GroupId>,
    },
    AttendanceMarked {
        member_id: PersonId,
        status: &'static str,
        #[serde(skip)]
        groups: Vec<GroupId>,
    },
    AttendanceMissing {
        member_id: PersonId,
        due_at: Timestamp,
        #[serde(skip)]
        groups: Vec<GroupId>,
    },
    VisitStarted {
        visit_id: VisitId,
        run_id: RunId,
        room_id: RoomId,
        member_id: PersonId,
        from_room_id: Option<RoomId>,
        source: &'static str,
        at: Timestamp,
        #[serde(skip)]
        groups: Vec<GroupId>,
    },
    VisitEnded {
        visit_id: VisitId,
        run_id: RunId,
        room_id: RoomId,
        member_id: PersonId,
        reason: &'static str,
        source: &'static str,
        at: Timestamp,
        #[serde(skip)]
        groups: Vec<GroupId>,
    },
    VisitBulkStarted {
        run_id: RunId,
        count: usize,
        member_ids: Vec<PersonId>,
        reason: &'static str,
        #[serde(skip)]
        audience: BulkAudience,
    },
    VisitBulkEnded {
        run_id: RunId,
        count: usize,
        member_ids: Vec<PersonId>,
        reason: &'static str,
        #[serde(skip)]
        audience: BulkAudience,
    },
    ScanUnknown {
        device_id: DeviceId,
        tag_suffix: Label,
    },
    ScanNeedsReview {
        device_id: DeviceId,
        scan_id: Label,
        why: &'static str,
    },

    // devices
    DeviceStatusChanged {
        device_id: DeviceId,
        state: &'static str,
        queue_depth: i64,
        firmware: Label,
        alarms: Vec<&'static str>,
    },

    // help
    HelpRequested(HelpFacts),
    HelpUpdated(HelpFacts),

    // tracking
    ActivityTracked {
        user_id: PersonId,
        event_type: Label,
        book_id: Option<Label>,
        #[serde(skip)]
        groups: Vec<GroupId>,
        #[serde(skip)]
        run: Option<RunId>,
    },
}

/// Who hears a bulk event: those of the run hear of everybody in it, those of
/// a group only of their own members, in an event of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkAudience {
    Run,
    Group(GroupId),
}

/// What a subscriber hears of a help request; its text is fetched, never pushed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HelpFacts {
    pub id: HelpRequestId,
    pub user_id: PersonId,
    pub room_id: Option<RoomId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub book_id: Option<Label>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section_id: Option<Label>,
    pub priority: &'static str,
    pub status: &'static str,
    pub assigned_to: Option<PersonId>,
    pub position: Option<i64>,
    pub rev: i64,
    #[serde(skip)]
    pub groups: Vec<GroupId>,
    /// The runs that the member was in when asking and is in now.
    #[serde(skip)]
    pub runs: Vec<RunId>,
    /// Whether all of the staff see it, or did until this change.
    #[serde(skip)]
    pub urgent: bool,
    /// Who has it in hand, and who had it until this change.
    #[serde(skip)]
    pub helpers: Vec<PersonId>,
}

impl Event {
    /// Every canonical name, in the order of the enum.
    pub const KINDS: [&'static str; 24] = [
        "account.signed_in",
        "account.signed_out",
        "access.changed",
        "run.started",
        "run.updated",
        "run.ended",
        "run.reopened",
        "supervision.changed",
        "supervision.offered",
        "supervision.offer_ended",
        "attendance.checked_in",
        "attendance.checked_out",
        "attendance.marked",
        "attendance.missing",
        "visit.started",
        "visit.ended",
        "visit.bulk_started",
        "visit.bulk_ended",
        "scan.unknown",
        "scan.needs_review",
        "device.status_changed",
        "help.requested",
        "help.updated",
        "activity.tracked",
    ];

    /// Returns the canonical name, as docs/events.md lists it.
    pub fn kind(&self) -> &'static str {
        match self {
            Event::AccountSignedIn { .. } => "account.signed_in",
            Event::AccountSignedOut { .. } => "account.signed_out",
            Event::AccessChanged { .. } => "access.changed",
            Event::RunStarted { .. } => "run.started",
            Event::RunUpdated { .. } => "run.updated",
            Event::RunEnded { .. } => "run.ended",
            Event::RunReopened { .. } => "run.reopened",
            Event::SupervisionChanged { .. } => "supervision.changed",
            Event::SupervisionOffered { .. } => "supervision.offered",
            Event::SupervisionOfferEnded { .. } => "supervision.offer_ended",
            Event::AttendanceCheckedIn { .. } => "attendance.checked_in",
            Event::AttendanceCheckedOut { .. } => "attendance.checked_out",
            Event::AttendanceMarked { .. } => "attendance.marked",
            Event::AttendanceMissing { .. } => "attendance.missing",
            Event::VisitStarted { .. } => "visit.started",
            Event::VisitEnded { .. } => "visit.ended",
            Event::VisitBulkStarted { .. } => "visit.bulk_started",
            Event::VisitBulkEnded { .. } => "visit.bulk_ended",
            Event::ScanUnknown { .. } => "scan.unknown",
            Event::ScanNeedsReview { .. } => "scan.needs_review",
            Event::DeviceStatusChanged { .. } => "device.status_changed",
            Event::HelpRequested(_) => "help.requested",
            Event::HelpUpdated(_) => "help.updated",
            Event::ActivityTracked { .. } => "activity.tracked",
        }
    }

    /// Returns the one person whose name the frame shows.
    pub fn subject(&self) -> Option<PersonId> {
        match self {
            Event::AccountSignedIn { user_id, .. }
            | Event::AccountSignedOut { user_id, .. }
            | Event::ActivityTracked { user_id, .. } => Some(*user_id),
            Event::AttendanceCheckedIn { member_id, .. }
            | Event::AttendanceCheckedOut { member_id, .. }
            | Event::AttendanceMarked { member_id, .. }
            | Event::AttendanceMissing { member_id, .. }
            | Event::VisitStarted { member_id, .. }
            | Event::VisitEnded { member_id, .. } => Some(*member_id),
            // Each is news for the other of the two.
            Event::SupervisionOffered { from, .. } => Some(*from),
            Event::SupervisionOfferEnded { to, .. } => Some(*to),
            Event::HelpRequested(facts) | Event::HelpUpdated(facts) => Some(facts.user_id),
            Event::AccessChanged { .. }
            | Event::RunStarted { .. }
            | Event::RunUpdated { .. }
            | Event::RunEnded { .. }
            | Event::RunReopened { .. }
            | Event::SupervisionChanged { .. }
            | Event::VisitBulkStarted { .. }
            | Event::VisitBulkEnded { .. }
            | Event::ScanUnknown { .. }
            | Event::ScanNeedsReview { .. }
            | Event::DeviceStatusChanged { .. } => None,
        }
    }
}
