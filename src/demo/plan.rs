//! What a planned day consists of: actions in the order in which they reach the server. Persons,
//! rooms, groups and devices are named by their place in the [`House`](super::house::House).

use super::time::DayTime;

/// A day of the demo house.
#[derive(Debug)]
pub struct Plan {
    /// Everything that happens, in the order in which it reaches the server.
    pub actions: Vec<Planned>,
    /// The runs of the day, by their number.
    pub runs: Vec<PlannedRun>,
    /// The members who do not come today.
    pub absences: Vec<Absence>,
    /// The two who forget to check out; the house's own close of day does it for them.
    pub forgotten: Vec<usize>,
}

/// An action and when it reaches the server.
#[derive(Clone, Debug)]
pub struct Planned {
    /// When it reaches the server.
    pub at: DayTime,
    /// What happens.
    pub action: Action,
}

/// What happens.
#[derive(Clone, Debug)]
pub enum Action {
    /// A badge reader sends a scan.
    Scan(Scan),
    /// A colleague starts a run.
    StartRun(usize),
    /// A colleague ends a run; all visits in it end with it.
    EndRun {
        /// The run's number.
        run: usize,
        /// Who ends it.
        by: usize,
    },
    /// A colleague hands a run over to another.
    HandOver {
        /// The run's number.
        run: usize,
        /// Who gives it.
        by: usize,
        /// Who has it from now on.
        to: usize,
    },
    /// The lead puts a colleague in charge of a care group while its own one is away.
    Substitute {
        /// The care group, counted from zero.
        care: usize,
        /// Who steps in.
        to: usize,
        /// Until when.
        until: DayTime,
    },
    /// The office writes down an absence.
    Mark(Absence),
    /// Someone signs in at a browser.
    SignIn(Who),
    /// Someone signs out.
    SignOut(Who),
    /// A member asks for help.
    Ask(Question),
    /// Something is done about a request for help.
    Answer {
        /// The request's number.
        request: usize,
        /// Who does it.
        by: Who,
        /// What is done.
        step: Step,
    },
    /// A reader's page tells what was done in it.
    Track {
        /// The member who reads.
        member: usize,
        /// What was done.
        events: Vec<&'static str>,
    },
}

/// Someone who can sign in or hold a badge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Who {
    /// A colleague.
    Staff(usize),
    /// A member.
    Member(usize),
}

/// A badge held to a reader.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The tap's own id.
    pub scan_id: String,
    /// The reader.
    pub device: usize,
    /// The room that a carried reader names.
    pub room: Option<usize>,
    /// The badge's tag.
    pub tag: String,
    /// Whose badge it is; nobody's when the tag is unknown.
    pub holder: Option<Who>,
    /// When the badge was held to the reader; a buffering reader sends it later.
    pub tapped_at: DayTime,
    /// The reader's own count of taps.
    pub seq: u64,
    /// Whether it repeats the tap just before it.
    pub double_tap: bool,
}

/// An activity that takes place once.
#[derive(Clone, Debug)]
pub struct PlannedRun {
    /// What is done.
    pub activity: &'static str,
    /// Where.
    pub room: usize,
    /// When it starts.
    pub starts: DayTime,
    /// When its staff end it; nobody does it for the one that is forgotten.
    pub ends: Option<DayTime>,
    /// Who starts it and is responsible, first name first.
    pub staff: Vec<usize>,
    /// Who ends it.
    pub ended_by: usize,
}

/// A member who does not come.
#[derive(Clone, Copy, Debug)]
pub struct Absence {
    /// The member.
    pub member: usize,
    /// Why; `None` when nobody has told the house.
    pub reason: Option<&'static str>,
    /// When the office writes it down.
    pub at: DayTime,
}

/// A request for help.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The request's number.
    pub request: usize,
    /// Who asks.
    pub member: usize,
    /// What is asked.
    pub content: &'static str,
    /// Whether it cannot wait.
    pub urgent: bool,
    /// Where the member is.
    pub room: Option<usize>,
}

/// What is done about a request for help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A colleague takes it.
    Claim,
    /// A colleague gives it back.
    Release,
    /// A colleague puts it on hold.
    Hold,
    /// A colleague has helped.
    Resolve,
    /// The member does not need it any more.
    Cancel,
}

impl Plan {
    /// Returns the scans, in the order in which they reach the server.
    pub fn scans(&self) -> impl Iterator<Item = &Scan> {
        self.actions.iter().filter_map(|planned| match &planned.action {
            Action::Scan(scan) => Some(scan),
            _ => None,
        })
    }

    /// Returns everyone who signs in during the day, each once.
    pub fn accounts(&self) -> Vec<Who> {
        let mut all: Vec<Who> = self
            .actions
            .iter()
            .filter_map(|planned| match planned.action {
                Action::SignIn(who) => Some(who),
                _ => None,
            })
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}
