//! Scope: the one place that decides who may see whom, for reads, writes and
//! topics alike.
//!
//! A scope is computed from the stretches of supervision and never stored: it
//! cannot be out of date, and what somebody could see at any past moment can be
//! computed again. What counts now is what nobody has ended, whatever the clock
//! says of its beginning: none begins in advance, and a clock that was put back
//! takes nothing away and gives nothing back. A substitution whose planned end
//! has come does not count, whether or not anybody has noted its end yet.

use rusqlite::{Connection, params};

use super::model::{Group, Run};
use super::queries;
use crate::base::id::{GroupId, PersonId, RunId};
use crate::base::{Error, Result, Timestamp};
use crate::domain::house;
use crate::domain::people::{self, Role};
use crate::event::Topic;
use crate::store::rows;

/// What one person may see at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub person: PersonId,
    pub role: Role,
    pub at: Timestamp,
    /// The groups that the person is responsible for, ascending.
    pub groups: Vec<GroupId>,
    /// The open runs that the person supervises, ascending.
    pub runs: Vec<RunId>,
    /// Whether it is of a moment that is over.
    past: bool,
}

/// Returns what `person` may see now.
pub fn of(conn: &Connection, person: PersonId, role: Role, now: Timestamp) -> Result<Scope> {
    Scope::new(conn, person, role, now, false)
}

/// Returns what `person` could see at a moment that is over.
pub fn then(conn: &Connection, person: PersonId, role: Role, at: Timestamp) -> Result<Scope> {
    Scope::new(conn, person, role, at, true)
}

/// Returns what a wall screen hears.
pub fn display_topics() -> Vec<Topic> {
    vec![Topic::House, Topic::Display, Topic::Help]
}

/// Says whether a wall screen may hear `topic`.
pub fn display_may_hear(topic: Topic) -> bool {
    matches!(topic, Topic::House | Topic::Display | Topic::Help | Topic::Room(_))
}

impl Scope {
    fn new(
        conn: &Connection,
        person: PersonId,
        role: Role,
        at: Timestamp,
        past: bool,
    ) -> Result<Scope> {
        let mut scope = Scope { person, role, at, groups: Vec::new(), runs: Vec::new(), past };
        if matches!(role, Role::Admin | Role::Staff) {
            scope.groups = groups(conn, &scope)?;
            scope.runs = runs(conn, &scope)?;
        }
        Ok(scope)
    }

    /// Returns everything that is told to the person who asks for nothing in
    /// particular.
    pub fn topics(&self) -> Vec<Topic> {
        let own = [Topic::Inbox(self.person), Topic::Progress(self.person)];
        let mut topics = [&[Topic::House, Topic::Display, Topic::Help], &own[..]].concat();
        match self.role {
            Role::Admin => topics.extend([
                Topic::Devices,
                Topic::Office,
                Topic::Lead,
                Topic::Staff,
                Topic::Helpers,
            ]),
            Role::Office => topics.extend([Topic::Office, Topic::Staff]),
            Role::Staff => {
                topics.extend([Topic::Staff, Topic::Helpers]);
                topics.extend(self.groups.iter().copied().map(Topic::Group));
                topics.extend(self.runs.iter().copied().map(Topic::Run));
            }
            Role::Member => (),
        }
        topics
    }

    /// Says whether the person may subscribe to `topic`.
    pub fn may_hear(&self, topic: Topic) -> bool {
        match topic {
            Topic::Room(_) => true,
            Topic::Group(_) | Topic::Run(_) if self.role == Role::Admin => true,
            _ => self.topics().contains(&topic),
        }
    }

    /// Says whether the person sees everybody.
    pub fn sees_all(&self) -> bool {
        self.role == Role::Admin
    }

    /// Says whether the person looks after members.
    pub fn is_staff(&self) -> bool {
        self.role == Role::Staff
    }

    /// Says whether the person may see what `member` does: the lead sees
    /// everybody, staff the members of their groups and whoever is in a run
    /// that they supervise, and everybody themselves.
    pub fn sees(&self, conn: &Connection, member: PersonId) -> Result<bool> {
        if self.sees_all() || member == self.person {
            return Ok(true);
        }
        if !self.groups.is_empty() {
            let groups = people::queries::groups_of(conn, member)?;
            if groups.iter().any(|group| self.groups.contains(group)) {
                return Ok(true);
            }
        }
        if self.runs.is_empty() {
            return Ok(false);
        }
        Ok(run_of(conn, member, self)?.is_some_and(|run| self.runs.contains(&run)))
    }

    /// Refuses whom the person may not see, as if there were no such person.
    pub fn require(&self, conn: &Connection, member: PersonId) -> Result<()> {
        if self.sees(conn, member)? { Ok(()) } else { Err(Error::NotFound("person")) }
    }

    /// Returns the groups and the runs by name.
    pub fn charges(&self, conn: &Connection) -> Result<(Vec<Group>, Vec<Run>)> {
        let groups = self.groups.iter().map(|group| queries::group(conn, *group));
        let runs = self.runs.iter().map(|run| queries::run(conn, *run));
        Ok((groups.collect::<Result<_>>()?, runs.collect::<Result<_>>()?))
    }

    /// Says whether the person supervises `run`.
    pub fn supervises(&self, run: RunId) -> bool {
        self.runs.contains(&run)
    }

    /// Says whether the person is responsible for `group`.
    pub fn has_group(&self, group: GroupId) -> bool {
        self.groups.contains(&group)
    }

    /// Refuses runs that are not the person's to look into or to change. The
    /// lead may do so with all, staff with those that they supervise or did
    /// until the end, as long as it can be undone.
    pub fn require_run(&self, conn: &Connection, run: RunId) -> Result<()> {
        if self.role == Role::Admin || self.supervises(run) {
            return Ok(());
        }
        let until = queries::run(conn, run)?.undo_until(&house::queries::local_time(conn)?);
        if until.is_some_and(|until| self.at <= until) {
            return self.require_last(conn, run);
        }
        Err(Error::Forbidden("run.not_own"))
    }

    /// Refuses runs that are not the person's to take up again: that they neither
    /// supervise nor did when it ended, however long ago.
    pub fn require_last(&self, conn: &Connection, run: RunId) -> Result<()> {
        queries::run(conn, run)?;
        let staff = queries::staff_of_run(conn, run)?;
        let had = self.role == Role::Staff && staff.iter().any(|who| who.id == self.person);
        if had || self.role == Role::Admin { Ok(()) } else { Err(Error::Forbidden("run.not_own")) }
    }

    /// Refuses groups that are not the person's to look into.
    pub fn require_group(&self, conn: &Connection, group: GroupId) -> Result<()> {
        if self.role == Role::Admin || self.has_group(group) {
            return Ok(());
        }
        queries::group(conn, group)?;
        Err(Error::Forbidden("group.not_own"))
    }
}

fn groups(conn: &Connection, scope: &Scope) -> Result<Vec<GroupId>> {
    rows::all(
        conn,
        "select distinct group_id
         from supervision
         where person_id = ?1
           and group_id is not null
           and (ended_at is null or ?3 and ended_at > ?2)
           and (until_at is null or until_at > ?2)
           and (not ?3 or from_at <= ?2)
         order by group_id",
        params![scope.person, scope.at, scope.past],
    )
}

fn runs(conn: &Connection, scope: &Scope) -> Result<Vec<RunId>> {
    rows::all(
        conn,
        "select distinct run_id
         from supervision
         where person_id = ?1
           and run_id is not null
           and (ended_at is null or ?3 and ended_at > ?2)
           and (until_at is null or until_at > ?2)
           and (not ?3 or from_at <= ?2)
         order by run_id",
        params![scope.person, scope.at, scope.past],
    )
}

/// Returns the run that a member was in. Visits are a later noun; this one
/// question about them is asked here so that scope has one place.
fn run_of(conn: &Connection, member: PersonId, scope: &Scope) -> Result<Option<RunId>> {
    rows::maybe(
        conn,
        "with recursive chain (run_id, started_at, ended_at, earlier_visit_id) as (
             select run_id, started_at, ended_at, earlier_visit_id
             from visit
             where person_id = ?1 and newest = 1
             union all
             select visit.run_id, visit.started_at, visit.ended_at, visit.earlier_visit_id
             from chain
             join visit on visit_id = chain.earlier_visit_id
             where ?3)
         select run_id
         from chain
         where (ended_at is null or ?3 and ended_at > ?2)
           and (not ?3 or started_at <= ?2)
         limit 1",
        params![member, scope.at, scope.past],
    )
}
