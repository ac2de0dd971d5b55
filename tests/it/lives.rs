//! What holds of people, of those in charge of them and of who waits for help, whatever happens in
//! whatever order: random lives of a small house, each undone when it is over.

use daybook::base::id::{
    GroupId, HelpRequestId, OfferId, PersonId, RoomId, RunId, SupervisionId, VisitId,
};
use daybook::base::{Error, Result};
use daybook::domain::devices::model::Scanner;
use daybook::domain::help::{self, Ask, Edit, Priority};
use daybook::domain::people;
use daybook::domain::people::Role;
use daybook::domain::people::model::{PersonChange, PersonState};
use daybook::domain::rooms::offers::{self, GiveKind};
use daybook::domain::rooms::scope::{self, Scope};
use daybook::domain::rooms::{self, Charge, NewRun, commands};
use daybook::domain::visits::marking::Mark;
use daybook::domain::visits::model::Today;
use daybook::domain::visits::scan::When;
use daybook::domain::visits::{self, Status, day};
use daybook::live::Tx;
use proptest::prelude::*;

use crate::always::{self, check_none, rehearse, runner};
use crate::scene::{BEN, EVA, MIA, Scene, ZOE, tap};

/// Something that somebody does. Numbers choose among what there is; what does not fit is refused.
#[derive(Debug, Clone)]
enum Act {
    Pass { seconds: i64 },
    Tap { reader: usize, tag: usize },
    Mark { member: usize, status: usize },
    State { person: usize, active: bool },
    Role { person: usize, role: usize },
    Ask { member: usize, urgent: bool },
    Change { member: usize, urgent: bool, back: bool },
    Help { by: usize, what: usize, which: usize },
    StartRun { room: usize, by: usize },
    EndRun { room: usize },
    Reopen { run: usize },
    Start { by: usize, member: usize, room: usize },
    Undo { by: usize, visit: usize },
    Give { kind: usize, from: usize, to: usize, group: bool, minutes: i64 },
    Offer { kind: usize, from: usize, to: usize, group: bool },
    Answer { by: usize, what: usize, which: usize },
    TakeOver { by: usize, room: usize },
    EndSupervision { which: usize },
    Staff { staff: Vec<usize> },
    Members { members: Vec<usize> },
}

const TAGS: [&str; 4] = [MIA, BEN, ZOE, EVA];
const STATUSES: [Status; 5] =
    [Status::Expected, Status::Present, Status::Left, Status::Excused, Status::Unreported];
const ROLES: [Role; 4] = [Role::Admin, Role::Office, Role::Staff, Role::Member];

fn act() -> impl Strategy<Value = Act> {
    let (staff, member, person) = (|| 0..3_usize, || 0..3_usize, || 0..7_usize);
    let day = prop_oneof![
        4 => (1..900_i64).prop_map(|seconds| Act::Pass { seconds }),
        1 => Just(Act::Pass { seconds: 5 * 3600 }),
        6 => (0..4_usize, 0..4_usize).prop_map(|(reader, tag)| Act::Tap { reader, tag }),
        2 => (member(), 0..5_usize).prop_map(|(member, status)| Act::Mark { member, status }),
        2 => (person(), any::<bool>()).prop_map(|(person, active)| Act::State { person, active }),
        2 => (person(), 0..4_usize).prop_map(|(person, role)| Act::Role { person, role }),
        3 => (0..2_usize, staff()).prop_map(|(room, by)| Act::StartRun { room, by }),
        2 => (0..2_usize).prop_map(|room| Act::EndRun { room }),
        1 => (0..3_usize).prop_map(|run| Act::Reopen { run }),
        3 => (staff(), member(), 0..2_usize)
            .prop_map(|(by, member, room)| Act::Start { by, member, room }),
        2 => (staff(), 0..3_usize).prop_map(|(by, visit)| Act::Undo { by, visit }),
    ];
    let help = prop_oneof![
        3 => (member(), any::<bool>()).prop_map(|(member, urgent)| Act::Ask { member, urgent }),
        2 => (member(), any::<bool>(), any::<bool>())
            .prop_map(|(member, urgent, back)| Act::Change { member, urgent, back }),
        5 => (staff(), 0..5_usize, 0..3_usize)
            .prop_map(|(by, what, which)| Act::Help { by, what, which }),
    ];
    let charges = prop_oneof![
        3 => (0..2_usize, 0..4_usize, staff(), any::<bool>(), 1..600_i64).prop_map(
            |(kind, from, to, group, minutes)| Act::Give { kind, from, to, group, minutes }),
        3 => (0..2_usize, staff(), staff(), any::<bool>())
            .prop_map(|(kind, from, to, group)| Act::Offer { kind, from, to, group }),
        3 => (staff(), 0..3_usize, 0..3_usize)
            .prop_map(|(by, what, which)| Act::Answer { by, what, which }),
        1 => (staff(), 0..2_usize).prop_map(|(by, room)| Act::TakeOver { by, room }),
        1 => (0..4_usize).prop_map(|which| Act::EndSupervision { which }),
        1 => proptest::collection::vec(staff(), 0..3).prop_map(|staff| Act::Staff { staff }),
        1 => proptest::collection::vec(member(), 0..4).prop_map(|members| Act::Members { members }),
    ];
    prop_oneof![5 => day, 2 => help, 2 => charges]
}

/// Who and what a random life plays with.
#[derive(Clone)]
struct Stage {
    lead: PersonId,
    staff: [PersonId; 3],
    members: [PersonId; 3],
    people: Vec<PersonId>,
    rooms: [RoomId; 2],
    readers: [Scanner; 4],
    group: GroupId,
}

impl Stage {
    fn of(scene: &Scene) -> Stage {
        let (staff, members) =
            ([scene.eva, scene.otto, scene.lead], [scene.mia, scene.ben, scene.zoe]);
        Stage {
            lead: scene.lead,
            staff,
            members,
            people: [staff.as_slice(), &members, &[scene.office]].concat(),
            rooms: [scene.library, scene.gym],
            readers: [scene.door, scene.exit, scene.library_reader, scene.gym_reader],
            group: scene.blue,
        }
    }

    fn play(&self, tx: &mut Tx<'_>, act: &Act) -> Result<()> {
        match act {
            Act::Pass { seconds } => {
                tx.now.0 += seconds * 1000;
                commands::end_due(tx)?;
                day::close_day(tx)?;
                let close = Today::at(tx, tx.now)?.last_close(tx.now);
                help::commands::expire(tx, close)?;
            }
            Act::Tap { reader, tag } => {
                let scan = tap(TAGS[*tag], When::Now);
                help::leaving::scan_all(tx, &self.readers[*reader], &[scan])?;
            }
            Act::Mark { member, status } => {
                let mark = Mark { status: STATUSES[*status], reason: None, at: None };
                let scope = self.scope(tx, self.lead, &[Role::Admin, Role::Office, Role::Staff])?;
                help::leaving::mark(tx, &scope, self.members[*member], &mark)?;
            }
            Act::State { person, active } => {
                let state = if *active { PersonState::Active } else { PersonState::Inactive };
                let change = PersonChange { state: Some(state), ..PersonChange::default() };
                help::leaving::change(tx, self.people[*person], change)?;
            }
            Act::Role { person, role } => {
                let change = PersonChange { role: Some(ROLES[*role]), ..PersonChange::default() };
                help::leaving::change(tx, self.people[*person], change)?;
            }
            Act::StartRun { room, by } => {
                let activity = rooms::queries::activities(tx)?[0].id;
                let staff = vec![self.staff[*by]];
                commands::start_run(tx, &NewRun { activity, room: self.rooms[*room], staff })?;
            }
            Act::EndRun { room } => {
                let run = self.run(tx, *room)?;
                visits::commands::end_run(tx, run, "ended")?;
            }
            Act::Reopen { run } => {
                let run = RunId(nth(tx, "run", *run));
                visits::commands::reopen_run(tx, run)?;
            }
            Act::Start { by, member, room } => {
                let scope = self.scope(tx, self.staff[*by], &[Role::Admin, Role::Staff])?;
                let run = self.run(tx, *room)?;
                visits::commands::start(tx, &scope, self.members[*member], run)?;
            }
            Act::Undo { by, visit } => {
                let scope = self.scope(tx, self.staff[*by], &[Role::Admin, Role::Staff])?;
                let visit = VisitId(nth(tx, "visit", *visit));
                visits::commands::undo(tx, &scope, visit)?;
            }
            Act::Ask { .. } | Act::Change { .. } | Act::Help { .. } => {
                self.help(tx, act)?;
            }
            _ => self.charge(tx, act)?,
        }
        Ok(())
    }

    fn help(&self, tx: &mut Tx<'_>, act: &Act) -> Result<()> {
        let priority = |urgent| if urgent { Priority::Urgent } else { Priority::Normal };
        match *act {
            Act::Ask { member, urgent } => {
                let member = self.members[member];
                self.scope(tx, member, &[Role::Member])?;
                help::commands::ask(tx, member, &Ask::new("", Some(priority(urgent)))?)?;
            }
            Act::Change { member, urgent, back } => {
                let member = self.members[member];
                self.scope(tx, member, &[Role::Member])?;
                let id = HelpRequestId(nth(tx, "help_request", 0));
                let edit = Edit { content: None, priority: Some(priority(urgent)) };
                match back {
                    true => help::commands::cancel(tx, member, id),
                    false => help::commands::edit(tx, member, id, &edit),
                }?;
            }
            Act::Help { by, what, which } => {
                let scope = self.scope(tx, self.staff[by], &[Role::Admin, Role::Staff])?;
                let id = HelpRequestId(nth(tx, "help_request", which));
                match what {
                    0 => help::commands::claim(tx, &scope, id),
                    1 => help::commands::release(tx, &scope, id),
                    2 => help::commands::hold(tx, &scope, id),
                    3 => help::commands::resolve(tx, &scope, id, None),
                    _ => help::commands::reopen(tx, &scope, id),
                }?;
            }
            _ => (),
        }
        Ok(())
    }

    fn charge(&self, tx: &mut Tx<'_>, act: &Act) -> Result<()> {
        let charge = |tx: &Tx<'_>, group: bool| match group {
            true => Ok(Charge::Group(self.group)),
            false => self.run(tx, 0).map(Charge::Run),
        };
        let kinds = [GiveKind::HandOver, GiveKind::Substitution];
        match act {
            Act::Give { kind, from, to, group, minutes } => {
                let charge = charge(tx, *group)?;
                let (from, to) = (self.staff.get(*from).copied(), self.staff[*to]);
                let until = tx.now.plus(std::time::Duration::from_secs(60 * *minutes as u64));
                match kinds[*kind] {
                    GiveKind::HandOver => commands::hand_over(tx, charge, from, to),
                    GiveKind::Substitution => {
                        commands::substitute(tx, charge, from, to, Some(until))
                    }
                }?;
            }
            Act::Offer { kind, from, to, group } => {
                let (from, to) = (self.staff[*from], self.staff[*to]);
                self.scope(tx, from, &[Role::Admin, Role::Staff])?;
                let charge = charge(tx, *group)?;
                offers::offer(tx, charge, from, to, kinds[*kind], None)?;
            }
            Act::Answer { by, what, which } => {
                let by = self.staff[*by];
                let role = self.scope(tx, by, &[Role::Admin, Role::Staff])?.role;
                let id = OfferId(nth(tx, "supervision_offer", *which));
                match what {
                    0 => offers::accept(tx, id, by, role).map(|_| ())?,
                    1 => offers::decline(tx, id, by, role)?,
                    _ => offers::withdraw(tx, id, by, role)?,
                }
            }
            Act::TakeOver { by, room } => {
                let run = self.run(tx, *room)?;
                commands::take_over(tx, run, self.staff[*by])?;
            }
            Act::EndSupervision { which } => {
                commands::end_supervision(tx, SupervisionId(nth(tx, "supervision", *which)))?;
            }
            Act::Staff { staff } => {
                let staff: Vec<_> = staff.iter().map(|who| self.staff[*who]).collect();
                commands::set_group_staff(tx, self.group, &staff)?;
            }
            Act::Members { members } => {
                let members: Vec<_> = members.iter().map(|who| self.members[*who]).collect();
                commands::set_group_members(tx, self.group, &members)?;
            }
            _ => (),
        }
        Ok(())
    }

    /// What somebody may see who can sign in with one of these roles.
    fn scope(&self, tx: &Tx<'_>, person: PersonId, roles: &[Role]) -> Result<Scope> {
        let person = people::queries::find(tx, person)?;
        if person.state != PersonState::Active || !roles.contains(&person.role) {
            return Err(Error::Forbidden("access.role"));
        }
        scope::of(tx, person.id, person.role, tx.now)
    }

    fn run(&self, tx: &Tx<'_>, room: usize) -> Result<RunId> {
        let run = rooms::queries::open_run_in(tx, self.rooms[room])?;
        run.map(|run| run.id).ok_or(Error::NotFound("run"))
    }
}

/// The key of the row so far back from the newest.
fn nth(tx: &Tx<'_>, table: &str, back: usize) -> i64 {
    let sql = format!("select coalesce(max({table}_id), 0) from {table}");
    tx.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap() - back as i64
}

/// What never is, each as a query that counts it.
const WRONGS: [(&str, &str); 10] = [
    (
        "help for somebody who is no member of the house",
        "select count(*) from help_request join person using (person_id)
         where status in ('pending', 'assigned', 'on_hold')
           and (role <> 'member' or state <> 'active')",
    ),
    (
        "a request that waits for somebody who went home",
        "select count(*) from help_request join attendance using (person_id, day)
         where help_request.status in ('pending', 'on_hold')
           and attendance.status = 'left' and left_at > help_request.created_at",
    ),
    (
        "help in the hands of who helps no more",
        "select count(*) from help_request join person on person.person_id = assigned_to
         where status in ('assigned', 'on_hold')
           and (role not in ('staff', 'admin') or state <> 'active')",
    ),
    (
        "in hand of nobody, or waiting in somebody's hand",
        "select count(*) from help_request
         where (status in ('assigned', 'on_hold') and assigned_to is null)
            or (status = 'pending' and assigned_to is not null)
            or ((status in ('resolved', 'cancelled', 'expired')) <> (closed_at is not null))",
    ),
    (
        "in charge without being of the staff",
        "select count(*) from supervision join person using (person_id)
         where ended_at is null and (role not in ('staff', 'admin') or state <> 'active')",
    ),
    (
        "in charge of a run that has ended",
        "select count(*) from supervision join run using (run_id)
         where supervision.ended_at is null and run.ended_at is not null",
    ),
    (
        "an offer of what is nobody's to give any more",
        "select count(*) from supervision_offer join supervision using (supervision_id)
         where outcome is null and supervision.ended_at is not null",
    ),
    (
        "an offer to who may not have it",
        "select count(*) from supervision_offer join person using (person_id)
         where outcome is null and (role not in ('staff', 'admin') or state <> 'active')",
    ),
    (
        "somebody who works here in a group or in a run",
        "select (select count(*) from group_member join person using (person_id)
                 where role <> 'member')
              + (select count(*) from visit join person using (person_id)
                 where ended_at is null and (role <> 'member' or state <> 'active'))",
    ),
    (
        "somebody in the house who does not belong to it",
        "select count(*) from attendance join person using (person_id)
         where status = 'present' and state <> 'active'",
    ),
];

fn check_lives(tx: &Tx<'_>) -> std::result::Result<(), String> {
    check_none(tx, &always::WRONGS)?;
    check_none(tx, &WRONGS)?;
    let mut places = tx
        .prepare("select position from help_view where status = 'pending' order by position")
        .unwrap();
    let places = places.query_map([], |row| row.get::<_, i64>(0)).unwrap();
    let places: Vec<_> = places.map(|place| place.unwrap()).collect();
    let expected: Vec<_> = (1..=places.len() as i64).collect();
    if places == expected { Ok(()) } else { Err(format!("places {places:?}")) }
}

#[test]
fn whatever_becomes_of_people_nothing_is_open_of_who_it_cannot_be_of() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let scene = runtime.block_on(Scene::new());
    let stage = Stage::of(&scene);
    runner(300)
        .run(&proptest::collection::vec(act(), 1..80), |acts| {
            let stage = stage.clone();
            rehearse(&runtime, &scene, move |tx| {
                for act in &acts {
                    tx.execute_batch("savepoint act").unwrap();
                    match stage.play(tx, act) {
                        Ok(()) => {}
                        Err(Error::Internal(defect)) => {
                            return Err(format!("{act:?}: {defect:?}"));
                        }
                        Err(_) => tx.execute_batch("rollback to act").unwrap(),
                    }
                    tx.execute_batch("release act").unwrap();
                    check_lives(tx).map_err(|wrong| format!("{act:?}: {wrong}"))?;
                }
                Ok(())
            })
        })
        .unwrap();
}
