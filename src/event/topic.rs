//! Who hears what: the topics that an event is sent to.
//!
//! Which topics a person may hear is decided in one other place, the scope
//! (`domain/rooms/scope.rs`).

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::{BulkAudience, Event, Stale};
use crate::base::id::{GroupId, PersonId, RoomId, RunId};

/// A subject that can be subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Counts of the house; everybody signed in, and displays.
    House,
    /// What a wall in the corridor shows; no persons.
    Display,
    /// Figures of the help queue; no persons.
    Help,
    /// One room's counts; no persons.
    Room(RoomId),
    /// State of badge readers; admins.
    Devices,
    /// Who has come and gone, of the whole house; admin and office.
    Office,
    /// Every fact about persons in the house; admins.
    Lead,
    /// What all who work here must hear: colleagues, runs.
    Staff,
    /// Urgent help, wherever it is needed; all who may help.
    Helpers,
    /// Facts about a group's members; those responsible for the group.
    Group(GroupId),
    /// Facts about those in a run; its supervisors.
    Run(RunId),
    /// What concerns one account alone.
    Inbox(PersonId),
    /// One member's own progress.
    Progress(PersonId),
}

impl Topic {
    /// Returns what stands before its id, the id if it has one, and what stands behind that.
    fn parts(self) -> (&'static str, Option<i64>, &'static str) {
        match self {
            Topic::House => ("house", None, ""),
            Topic::Display => ("display", None, ""),
            Topic::Help => ("help", None, ""),
            Topic::Devices => ("devices", None, ""),
            Topic::Office => ("office", None, ""),
            Topic::Lead => ("lead", None, ""),
            Topic::Staff => ("staff", None, ""),
            Topic::Helpers => ("helpers", None, ""),
            Topic::Room(id) => ("room:", Some(id.0), ""),
            Topic::Group(id) => ("group:", Some(id.0), ""),
            Topic::Run(id) => ("run:", Some(id.0), ""),
            Topic::Inbox(id) => ("user:", Some(id.0), ":inbox"),
            Topic::Progress(id) => ("user:", Some(id.0), ":progress"),
        }
    }

    /// Appends it to a text, as each event does for each of its topics.
    pub fn push_to(self, text: &mut String) {
        let (before, id, behind) = self.parts();
        text.push_str(before);
        if let Some(id) = id {
            text.push_str(itoa::Buffer::new().format(id));
        }
        text.push_str(behind);
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.push_to(&mut text);
        f.write_str(&text)
    }
}

impl FromStr for Topic {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Topic, Self::Err> {
        match text {
            "house" => return Ok(Topic::House),
            "display" => return Ok(Topic::Display),
            "help" => return Ok(Topic::Help),
            "devices" => return Ok(Topic::Devices),
            "office" => return Ok(Topic::Office),
            "lead" => return Ok(Topic::Lead),
            "staff" => return Ok(Topic::Staff),
            "helpers" => return Ok(Topic::Helpers),
            _ => (),
        }
        match text.split_once(':').ok_or("no such topic")? {
            ("room", id) => id.parse().map(Topic::Room),
            ("group", id) => id.parse().map(Topic::Group),
            ("run", id) => id.parse().map(Topic::Run),
            ("user", rest) => match rest.split_once(':') {
                Some((id, "inbox")) => id.parse().map(Topic::Inbox),
                Some((id, "progress")) => id.parse().map(Topic::Progress),
                _ => Err("no such topic"),
            },
            _ => Err("no such topic"),
        }
    }
}

impl Serialize for Topic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Event {
    /// Returns the topics that this event is announced on, the canonical one
    /// first. A subscriber of several hears it once. A new variant does not
    /// compile until someone has decided here who may hear it.
    pub fn topics(&self) -> Vec<Topic> {
        match self {
            Event::AccountSignedIn { role, groups, run, .. }
            | Event::AccountSignedOut { role, groups, run, .. } => match *role {
                "member" => {
                    of_groups(groups).chain(run.map(Topic::Run)).chain([Topic::Lead]).collect()
                }
                _ => vec![Topic::Staff, Topic::Lead],
            },
            Event::AccessChanged { user_id, .. } => vec![Topic::Inbox(*user_id)],
            Event::RunStarted { run_id, .. }
            | Event::RunUpdated { run_id, .. }
            | Event::RunEnded { run_id, .. }
            | Event::RunReopened { run_id, .. } => {
                vec![Topic::Run(*run_id), Topic::Staff, Topic::Lead]
            }
            Event::SupervisionChanged { charge, from, to, .. } => {
                let inboxes = [from, to].into_iter().flatten().map(|id| Topic::Inbox(*id));
                [charge.topic()].into_iter().chain(inboxes).chain([Topic::Lead]).collect()
            }
            Event::SupervisionOffered { from, to, .. }
            | Event::SupervisionOfferEnded { from, to, .. } => {
                vec![Topic::Inbox(*to), Topic::Inbox(*from), Topic::Lead]
            }
            Event::AttendanceCheckedIn { groups, .. }
            | Event::AttendanceCheckedOut { groups, .. }
            | Event::AttendanceMarked { groups, .. }
            | Event::AttendanceMissing { groups, .. } => {
                of_groups(groups).chain([Topic::Office, Topic::Lead]).collect()
            }
            Event::VisitStarted { run_id, groups, .. }
            | Event::VisitEnded { run_id, groups, .. } => [Topic::Run(*run_id)]
                .into_iter()
                .chain(of_groups(groups))
                .chain([Topic::Lead])
                .collect(),
            Event::VisitBulkStarted { run_id, audience, .. }
            | Event::VisitBulkEnded { run_id, audience, .. } => match audience {
                BulkAudience::Run => vec![Topic::Run(*run_id), Topic::Lead],
                BulkAudience::Group(group) => vec![Topic::Group(*group)],
            },
            Event::ScanUnknown { .. }
            | Event::ScanNeedsReview { .. }
            | Event::DeviceStatusChanged { .. } => vec![Topic::Devices],
            Event::HelpRequested(facts) | Event::HelpUpdated(facts) => {
                let inboxes = [&facts.user_id].into_iter().chain(&facts.helpers);
                of_groups(&facts.groups)
                    .chain(facts.runs.iter().copied().map(Topic::Run))
                    .chain(facts.urgent.then_some(Topic::Helpers))
                    .chain(inboxes.copied().map(Topic::Inbox))
                    .chain([Topic::Lead])
                    .collect()
            }
            Event::ActivityTracked { user_id, groups, run, .. } => of_groups(groups)
                .chain(run.map(Topic::Run))
                .chain([Topic::Progress(*user_id), Topic::Lead])
                .collect(),
        }
    }
}

impl Stale {
    /// Returns the topics that this figure is told on, the canonical one first. None names a person.
    pub fn topics(self) -> Vec<Topic> {
        match self {
            Stale::Counts => vec![Topic::House, Topic::Display],
            Stale::Room(room) => vec![Topic::Room(room), Topic::House, Topic::Display],
            Stale::Queue => vec![Topic::Help, Topic::Display],
        }
    }
}

fn of_groups(groups: &[GroupId]) -> impl Iterator<Item = Topic> {
    groups.iter().copied().map(Topic::Group)
}

#[cfg(test)]
mod tests {
    use super::{GroupId, PersonId, RoomId, RunId, Topic};

    #[test]
    fn a_topic_is_read_as_it_is_written() {
        let topics = [
            Topic::House,
            Topic::Display,
            Topic::Help,
            Topic::Devices,
            Topic::Office,
            Topic::Lead,
            Topic::Staff,
            Topic::Helpers,
            Topic::Room(RoomId(3)),
            Topic::Group(GroupId(4)),
            Topic::Run(RunId(5)),
            Topic::Inbox(PersonId(6)),
            Topic::Progress(PersonId(7)),
        ];
        for topic in topics {
            assert_eq!(topic.to_string().parse(), Ok(topic));
        }
        for wrong in ["", "house:", "run", "run:", "run:-1", "run:01", "user:7", "user:7:x"] {
            assert!(wrong.parse::<Topic>().is_err(), "{wrong}");
        }
    }
}
