//! What a help request is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::id::{GroupId, HelpRequestId, PersonId, RoomId, RunId};
use crate::base::{Error, Result, Timestamp, text};
use crate::domain::house::model::LocalTime;
use crate::domain::rooms::model::UNDO_TIME;
use crate::domain::rooms::scope::Scope;
use crate::event::{HelpFacts, Label};
use crate::store::rows::{FromRow, Row};
use crate::words;

/// How long the text of a request or of its answer may be, in characters.
pub const TEXT_MAX: usize = 2000;

words! {
    /// Whether a request may wait its turn.
    Priority { Normal = "normal", Urgent = "urgent" }
}

words! {
    /// Where a request stands.
    Status {
        Pending = "pending", Assigned = "assigned", OnHold = "on_hold",
        Resolved = "resolved", Cancelled = "cancelled", Expired = "expired",
    }
}

impl Status {
    /// Says whether somebody still waits.
    pub fn is_open(self) -> bool {
        matches!(self, Status::Pending | Status::Assigned | Status::OnHold)
    }
}

/// What a member asks, checked.
#[derive(Debug, Clone)]
pub struct Ask {
    content: String,
    pub priority: Priority,
    pub book_id: Option<String>,
    pub section_id: Option<String>,
    /// Where the member is; where their open visit is when they do not say.
    pub room_id: Option<RoomId>,
}

impl Ask {
    /// Checks the text. It may be empty: a child that cannot write may still ask.
    pub fn new(content: &str, priority: Option<Priority>) -> Result<Ask> {
        Ok(Ask {
            content: text::paragraph("content", content, TEXT_MAX)?,
            priority: priority.unwrap_or(Priority::Normal),
            book_id: None,
            section_id: None,
            room_id: None,
        })
    }

    /// Returns the words of the request.
    pub fn content(&self) -> &str {
        &self.content
    }
}

/// What a member changes of their own request.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    pub content: Option<String>,
    pub priority: Option<Priority>,
}

/// Who has a request in hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Assignee {
    pub id: PersonId,
    pub display_name: String,
}

/// A help request, as those see it who may read its words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Help {
    pub id: HelpRequestId,
    pub member_id: PersonId,
    pub display_name: String,
    pub room_id: Option<RoomId>,
    pub room_name: Option<String>,
    pub book_id: Option<String>,
    pub section_id: Option<String>,
    pub content: String,
    pub response: Option<String>,
    pub priority: Priority,
    pub status: Status,
    pub assigned_to: Option<Assignee>,
    /// Place in the queue, from 1, while the request is pending.
    pub position: Option<i64>,
    /// Counts the changes.
    pub rev: i64,
    pub created_at: Timestamp,
    /// When somebody took it; null before, and again after a release.
    pub claimed_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    /// Seconds until somebody came, or until now.
    pub wait_s: i64,
    /// Until when one that is done can be taken back; null for any other.
    pub undo_until: Option<Timestamp>,
    /// Where the member was when asking.
    #[serde(skip)]
    pub(super) run: Option<RunId>,
    /// Where the member is now.
    #[serde(skip)]
    pub(super) run_now: Option<RunId>,
    #[serde(skip)]
    pub(super) groups: Vec<GroupId>,
}

impl Help {
    /// Returns the request with its wait counted up to `now`, and with the time to take it back.
    #[must_use]
    pub fn as_of(mut self, now: Timestamp, local: &LocalTime) -> Help {
        let until = self.claimed_at.or(self.closed_at).unwrap_or(now);
        self.wait_s = until.seconds_since(self.created_at);
        self.undo_until = self.undo_until(local);
        self
    }

    /// Returns until when one that is done can be taken back: within its own day, as a run.
    pub(super) fn undo_until(&self, LocalTime { zone, hours }: &LocalTime) -> Option<Timestamp> {
        let closes = hours.close_after(self.created_at, zone);
        let closed_at = self.closed_at.filter(|at| *at < closes)?;
        if self.status != Status::Resolved {
            return None;
        }
        Some(closed_at.plus(UNDO_TIME).min(closes.minus(Duration::from_millis(1))))
    }

    /// Says whether the holder of `scope` may read this request: its owner,
    /// whoever has it in hand, those responsible for the member now or when it
    /// was asked, and for an urgent one all of the staff.
    pub fn seen_by(&self, scope: &Scope) -> bool {
        let runs = [self.run, self.run_now];
        self.member_id == scope.person
            || scope.sees_all()
            || scope.is_staff()
                && (self.priority == Priority::Urgent
                    || self.assigned_to.as_ref().is_some_and(|who| who.id == scope.person)
                    || runs.into_iter().flatten().any(|run| scope.runs.contains(&run))
                    || self.groups.iter().any(|group| scope.groups.contains(group)))
    }

    /// Returns what the event log and the streams carry of it. Those hear of a change who saw the
    /// request `before` it, and those who see it now.
    pub(super) fn facts(&self, before: Option<&Help>) -> HelpFacts {
        let both = || [Some(self), before].into_iter().flatten();
        let mut runs: Vec<RunId> =
            both().flat_map(|help| [help.run, help.run_now]).flatten().collect();
        runs.sort_unstable();
        runs.dedup();
        let mut helpers: Vec<PersonId> =
            both().filter_map(|help| help.assigned_to.as_ref()).map(|who| who.id).collect();
        helpers.dedup();
        HelpFacts {
            id: self.id,
            user_id: self.member_id,
            room_id: self.room_id,
            book_id: self.book_id.clone().map(Label),
            section_id: self.section_id.clone().map(Label),
            priority: self.priority.word(),
            status: self.status.word(),
            assigned_to: self.assigned_to.as_ref().map(|who| who.id),
            position: self.position,
            rev: self.rev,
            groups: self.groups.clone(),
            runs,
            urgent: both().any(|help| help.priority == Priority::Urgent),
            helpers,
        }
    }

    /// Returns the conflict that a request in this state cannot be acted upon so.
    pub(super) fn refuse(&self) -> Error {
        if self.status.is_open() {
            return Error::conflict("help.not_claimed", "nobody has taken this request yet");
        }
        let detail = format!("this request is {} already", self.status.word());
        Error::conflict("help.closed", detail)
    }
}

/// A place in the queue, as a wall shows it: neither who it is nor what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Place {
    /// From 1.
    pub position: i64,
    /// The first letters of the name: "M. K.".
    pub initials: String,
    pub priority: Priority,
    /// Seconds since the member asked.
    pub wait_s: i64,
}

/// The figures of the queue: no persons.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Figures {
    /// Requests that wait for somebody.
    pub length: i64,
    /// Requests that are not done: waiting, in hand or on hold.
    pub open: i64,
    /// How long the one that waits longest has waited.
    pub longest_wait_s: i64,
    /// Half of those helped today waited no longer than this; `null` when nobody was helped.
    pub median_wait_s: Option<i64>,
}

impl FromRow for Help {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Help> {
        let assignee: Option<PersonId> = row.get("assigned_to")?;
        let groups: Option<String> = row.get("groups")?;
        Ok(Help {
            id: row.get("help_request_id")?,
            member_id: row.get("person_id")?,
            display_name: row.get("display_name")?,
            room_id: row.get("room_id")?,
            room_name: row.get("room_name")?,
            book_id: row.get("book_id")?,
            section_id: row.get("section_id")?,
            content: row.get("content")?,
            response: row.get("response")?,
            priority: row.get("priority")?,
            status: row.get("status")?,
            assigned_to: match assignee {
                Some(id) => Some(Assignee { id, display_name: row.get("assignee_name")? }),
                None => None,
            },
            position: row.get("position")?,
            rev: row.get("rev")?,
            created_at: row.get("created_at")?,
            claimed_at: row.get("claimed_at")?,
            closed_at: row.get("closed_at")?,
            wait_s: 0,
            undo_until: None,
            run: row.get("run_id")?,
            run_now: row.get("run_now")?,
            groups: groups
                .unwrap_or_default()
                .split(',')
                .filter_map(|id| id.parse().ok())
                .collect(),
        })
    }
}
