//! A charge: what somebody is responsible for.

use serde::Serialize;

use super::Topic;
use crate::base::id::{GroupId, RunId};

/// What somebody is responsible for. It is told as an id and which of the two it is of, since runs
/// and groups are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(tag = "charge", content = "run_or_group_id", rename_all = "snake_case")]
pub enum Charge {
    Run(RunId),
    Group(GroupId),
}

impl Charge {
    /// Returns the run, if it is one.
    pub fn run(self) -> Option<RunId> {
        match self {
            Charge::Run(id) => Some(id),
            Charge::Group(_) => None,
        }
    }

    /// Returns the group, if it is one.
    pub fn group(self) -> Option<GroupId> {
        match self {
            Charge::Run(_) => None,
            Charge::Group(id) => Some(id),
        }
    }

    /// Returns where facts about those in it are told.
    pub fn topic(self) -> Topic {
        match self {
            Charge::Run(id) => Topic::Run(id),
            Charge::Group(id) => Topic::Group(id),
        }
    }
}
