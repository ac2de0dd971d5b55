//! Rooms, groups, runs and supervision: who sees whom, from when to when.

use std::ops::Deref;
use std::time::Duration;

use daybook::base::id::{ActivityId, GroupId, PersonId, RoomId, RunId};
use daybook::base::{Actor, Error, Result, Timestamp};
use daybook::domain::people::Role;
use daybook::domain::rooms::model::{NewActivity, NewGroup, NewRoom};
use daybook::domain::rooms::{
    Charge, GroupKind, NewRun, RoomKind, Run, Scope, commands, queries, scope,
};
use daybook::event::Topic;
use daybook::live::Tx;
use serde_json::{Value, json};

use crate::store::{START, TestStore};

pub const MINUTE: Duration = Duration::from_secs(60);

/// Two groups and two rooms. Anna has the sun group, in which Mia is; Leo is in
/// the moon group, which is nobody's, as Ben has nothing.
pub struct Club {
    pub store: TestStore,
    pub cast: Cast,
}

/// Who and what a club has.
#[derive(Clone, Copy)]
pub struct Cast {
    pub lead: PersonId,
    pub office: PersonId,
    pub anna: PersonId,
    pub ben: PersonId,
    pub mia: PersonId,
    pub leo: PersonId,
    pub sun: GroupId,
    pub moon: GroupId,
    pub hall: RoomId,
    pub yard: RoomId,
    pub chess: ActivityId,
}

impl Club {
    pub async fn new() -> Club {
        Club::of(TestStore::new().await).await
    }

    /// Fills a founded house; the accounts' user names are lead, office, anna, ben, mia, leo.
    pub async fn of(store: TestStore) -> Club {
        let lead = store.account("Lead", Role::Admin).await;
        let office = store.account("Office", Role::Office).await;
        let anna = store.account("Anna", Role::Staff).await;
        let ben = store.account("Ben", Role::Staff).await;
        let mia = store.account("Mia", Role::Member).await;
        let leo = store.account("Leo", Role::Member).await;
        let made = store.write(Actor::System, move |tx| {
            let sun = group(tx, "Sun", &[mia])?;
            let moon = group(tx, "Moon", &[leo])?;
            commands::set_group_staff(tx, sun, &[anna])?;
            let chess = NewActivity { name: "Chess".to_owned(), default_room: None };
            let chess = commands::new_activity(tx, &chess)?;
            Ok((sun, moon, room(tx, "Hall")?, room(tx, "Yard")?, chess))
        });
        let (sun, moon, hall, yard, chess) = made.await.unwrap();
        let cast = Cast { lead, office, anna, ben, mia, leo, sun, moon, hall, yard, chess };
        Club { store, cast }
    }

    pub fn now(&self) -> Timestamp {
        self.store.app.clock.now()
    }

    pub async fn start(&self, room: RoomId, staff: &[PersonId]) -> Result<Run> {
        let new = NewRun { activity: self.chess, room, staff: staff.to_vec() };
        self.store.write(Actor::System, move |tx| commands::start_run(tx, &new)).await
    }

    pub async fn act<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.store.write(Actor::System, act).await
    }

    pub async fn scope_at(&self, person: PersonId, at: Timestamp) -> Scope {
        self.store.read(move |conn| scope::then(conn, person, Role::Staff, at)).await
    }

    pub async fn scope(&self, person: PersonId) -> Scope {
        let now = self.now();
        self.store.read(move |conn| scope::of(conn, person, Role::Staff, now)).await
    }

    pub async fn sees(&self, person: PersonId, role: Role, member: PersonId) -> bool {
        let now = self.now();
        self.store.read(move |conn| scope::of(conn, person, role, now)?.sees(conn, member)).await
    }

    /// Puts a member into a run, as `visits` does.
    pub async fn visit(&self, member: PersonId, run: &Run) {
        let (run, room) = (run.id, run.room);
        let enter = move |tx: &mut Tx<'_>| {
            let visit = "insert into visit (person_id, run_id, room_id, started_at, source)
                         values (?1, ?2, ?3, ?4, 'manual')";
            Ok(tx.execute(visit, (member, run, room, tx.now))?)
        };
        self.act(enter).await.unwrap();
    }

    /// What was logged after the first `skip` events: type, topics, data.
    pub async fn log_after(&self, skip: usize) -> Vec<(String, String, Value)> {
        let read = move |conn: &rusqlite::Connection| {
            let mut rows = conn.prepare("select type, topics, data from event_log order by seq")?;
            let rows = rows.query_map([], |row| {
                let data: String = row.get(2)?;
                Ok((row.get(0)?, row.get(1)?, serde_json::from_str(&data).unwrap()))
            })?;
            Ok(rows.skip(skip).collect::<rusqlite::Result<_>>()?)
        };
        self.store.read(read).await
    }

    pub async fn log_length(&self) -> usize {
        self.store.log().await.len()
    }
}

impl Deref for Club {
    type Target = Cast;

    fn deref(&self) -> &Cast {
        &self.cast
    }
}

fn group(tx: &mut Tx<'_>, name: &str, members: &[PersonId]) -> Result<GroupId> {
    let new = NewGroup { name: name.to_owned(), kind: GroupKind::Care };
    let id = commands::new_group(tx, &new)?;
    commands::set_group_members(tx, id, members)?;
    Ok(id)
}

fn room(tx: &mut Tx<'_>, name: &str) -> Result<RoomId> {
    commands::new_room(tx, &NewRoom { name: name.to_owned(), kind: RoomKind::Room, capacity: 30 })
}

pub fn code<T: std::fmt::Debug>(refused: Result<T>) -> String {
    refused.unwrap_err().code().into_owned()
}

pub fn field<T: std::fmt::Debug>(refused: Result<T>) -> String {
    match refused {
        Err(Error::Invalid { field, .. }) => field.into_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn staff_see_their_groups_and_whoever_is_in_a_run_of_theirs() {
    let club = Club::new().await;
    let run = club.start(club.hall, &[club.ben]).await.unwrap();
    let (lead, office, anna, ben) = (club.lead, club.office, club.anna, club.ben);
    let matrix = |member| {
        let club = &club;
        async move {
            [
                club.sees(lead, Role::Admin, member).await,
                club.sees(office, Role::Office, member).await,
                club.sees(anna, Role::Staff, member).await,
                club.sees(ben, Role::Staff, member).await,
                club.sees(club.mia, Role::Member, member).await,
            ]
        }
    };
    assert_eq!(matrix(club.mia).await, [true, false, true, false, true]);
    assert_eq!(matrix(club.leo).await, [true, false, false, false, false]);
    club.visit(club.leo, &run).await;
    assert_eq!(matrix(club.leo).await, [true, false, false, true, false]);
    club.act(move |tx| commands::mark_ended(tx, run.id, "ended")).await.unwrap();
    assert_eq!(matrix(club.leo).await, [true, false, false, false, false]);
    let hidden = club.scope(anna).await;
    let leo = club.leo;
    let refused = club.store.app.read(move |conn| hidden.require(conn, leo)).await;
    assert_eq!(code(refused), "person.not_found");
}

#[tokio::test]
async fn everybody_hears_what_their_role_and_charges_allow() {
    let club = Club::new().await;
    let run = club.start(club.hall, &[club.anna]).await.unwrap();
    let now = club.now();
    let topics = |person, role| {
        let read = move |conn: &_| Ok(scope::of(conn, person, role, now)?.topics());
        let read = club.store.read(read);
        async move { read.await.iter().map(Topic::to_string).collect::<Vec<_>>().join(" ") }
    };
    let (lead, office, anna, ben) = (club.lead, club.office, club.anna, club.ben);
    let (mia, sun, run_id) = (club.mia, club.sun, run.id);
    assert_eq!(
        topics(lead, Role::Admin).await,
        format!(
            "house display help user:{lead}:inbox user:{lead}:progress devices office lead staff \
             helpers"
        )
    );
    assert_eq!(
        topics(office, Role::Office).await,
        format!("house display help user:{office}:inbox user:{office}:progress office staff")
    );
    assert_eq!(
        topics(anna, Role::Staff).await,
        format!(
            "house display help user:{anna}:inbox user:{anna}:progress staff helpers group:{sun} \
             run:{run_id}"
        )
    );
    assert_eq!(
        topics(ben, Role::Staff).await,
        format!("house display help user:{ben}:inbox user:{ben}:progress staff helpers")
    );
    assert_eq!(
        topics(mia, Role::Member).await,
        format!("house display help user:{mia}:inbox user:{mia}:progress")
    );
    let scopes = |person, role| club.store.read(move |conn: &_| scope::of(conn, person, role, now));
    let (lead, office) = (scopes(lead, Role::Admin).await, scopes(office, Role::Office).await);
    let (anna, mia) = (scopes(anna, Role::Staff).await, scopes(mia, Role::Member).await);
    for (topic, heard) in [
        (Topic::Room(club.yard), [true, true, true, true]),
        (Topic::Run(run.id), [true, false, true, false]),
        (Topic::Run(RunId(999)), [true, false, false, false]),
        (Topic::Group(club.moon), [true, false, false, false]),
        (Topic::Lead, [true, false, false, false]),
        (Topic::Office, [true, true, false, false]),
        (Topic::Staff, [true, true, true, false]),
        (Topic::Helpers, [true, false, true, false]),
        (Topic::Devices, [true, false, false, false]),
        (Topic::Inbox(club.ben), [false, false, false, false]),
        (Topic::Progress(club.mia), [false, false, false, true]),
    ] {
        let may = [&lead, &office, &anna, &mia].map(|scope| scope.may_hear(topic));
        assert_eq!(may, heard, "{topic}");
        assert!(!scope::display_may_hear(topic) || matches!(topic, Topic::Room(_)), "{topic}");
    }
}

#[tokio::test]
async fn a_role_without_charges_has_an_empty_scope_whatever_is_noted() {
    let club = Club::new().await;
    let (anna, now) = (club.anna, club.now());
    for role in [Role::Office, Role::Member] {
        let scope = club.store.read(move |conn| scope::of(conn, anna, role, now)).await;
        assert_eq!((scope.groups.len(), scope.runs.len()), (0, 0));
    }
}

#[tokio::test]
async fn of_two_starts_in_one_room_one_is_refused() {
    let club = Club::new().await;
    let (anna, ben) = ([club.anna], [club.ben]);
    let (one, two) = tokio::join!(club.start(club.hall, &anna), club.start(club.hall, &ben));
    let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
    assert_eq!(code(lost), "run.room_taken");
    let open = club.store.read({
        let hall = club.hall;
        move |conn| queries::open_run_in(conn, hall)
    });
    assert_eq!(open.await, Some(won.unwrap()));
    assert_eq!(club.store.number("select count(*) from supervision where kind = 'run'").await, 1);
}

#[tokio::test]
async fn a_run_is_started_by_staff_in_a_room_that_exists() {
    let club = Club::new().await;
    assert_eq!(field(club.start(club.hall, &[]).await), "staff_ids");
    for person in [club.mia, club.office, PersonId(999)] {
        assert_eq!(field(club.start(club.hall, &[person]).await), "staff_ids");
    }
    assert_eq!(field(club.start(RoomId(99), &[club.anna]).await), "room_id");
    let new = NewRun { activity: ActivityId(99), room: club.hall, staff: vec![club.anna] };
    assert_eq!(field(club.act(move |tx| commands::start_run(tx, &new)).await), "activity_id");
    let before = club.log_length().await;
    let run = club.start(club.hall, &[club.anna, club.lead, club.anna]).await.unwrap();
    let (run_id, hall, chess) = (run.id, club.hall, club.chess);
    let (lead, anna) = (club.lead.to_string(), club.anna.to_string());
    let topics = format!("run:{run_id}");
    assert_eq!(
        club.log_after(before).await,
        [
            (
                "run.started".to_owned(),
                format!("{topics} staff lead"),
                json!({"run_id": run_id, "activity_id": chess, "activity_name": "Chess",
                    "room_id": hall, "staff_ids": [anna, lead]})
            ),
            (
                "access.changed".to_owned(),
                format!("user:{lead}:inbox"),
                json!({"added": [topics], "removed": []})
            ),
            (
                "access.changed".to_owned(),
                format!("user:{anna}:inbox"),
                json!({"added": [topics], "removed": []})
            ),
        ]
    );
}

#[tokio::test]
async fn an_ended_run_is_taken_up_again_within_five_minutes_by_whom_it_had() {
    let club = Club::new().await;
    let run = club.start(club.hall, &[club.anna, club.ben]).await.unwrap().id;
    let (ben, charge) = (club.ben, Charge::Run(run));
    let end = move |tx: &mut Tx<'_>| commands::mark_ended(tx, run, "ended");
    let reopen = move |tx: &mut Tx<'_>| commands::mark_reopened(tx, run);
    assert_eq!(code(club.act(reopen).await), "run.not_ended");
    club.store.advance(MINUTE);
    // Ben has gone before the end: he does not come back with it.
    let his = club.store.read(move |conn| queries::supervisions(conn, Some(ben))).await[0].id;
    club.act(move |tx| commands::end_supervision(tx, his)).await.unwrap();
    club.store.advance(MINUTE);
    let ended = club.act(end).await.unwrap();
    let facts = club.store.read(move |conn| queries::run_facts(conn, ended)).await;
    assert_eq!(facts.undo_until, Some(club.now().plus(5 * MINUTE)));
    assert_eq!(code(club.act(end).await), "run.ended");
    assert!(club.scope(club.anna).await.runs.is_empty());
    let staff = club.store.read(move |conn| queries::staff_of(conn, charge)).await;
    assert_eq!(staff.iter().map(|who| who.id).collect::<Vec<_>>(), [club.anna]);

    club.store.advance(5 * MINUTE);
    let before = club.log_length().await;
    assert_eq!(club.act(reopen).await.unwrap().ended_at, None);
    assert_eq!(club.scope(club.anna).await.runs, [run]);
    assert!(club.scope(ben).await.runs.is_empty());
    let log = club.log_after(before).await;
    assert_eq!((log[0].0.as_str(), log[1].0.as_str()), ("run.reopened", "access.changed"));
    assert_eq!(log[0].2["staff_ids"], json!([club.anna]));
    // While it was ended nobody had it, and that can be seen later too.
    let between = club.now().minus(MINUTE);
    assert!(club.scope_at(club.anna, between).await.runs.is_empty());

    club.act(end).await.unwrap();
    club.store.advance(5 * MINUTE + Duration::from_millis(1));
    assert_eq!(code(club.act(reopen).await), "run.reopen_too_late");
}

#[tokio::test]
async fn an_ended_run_is_not_taken_up_again_when_its_room_is_taken() {
    let club = Club::new().await;
    let run = club.start(club.hall, &[club.anna]).await.unwrap().id;
    club.act(move |tx| commands::mark_ended(tx, run, "ended")).await.unwrap();
    club.start(club.hall, &[club.ben]).await.unwrap();
    let reopened = club.act(move |tx| commands::mark_reopened(tx, run)).await;
    assert_eq!(code(reopened), "run.room_taken");
}

#[tokio::test]
async fn a_hand_over_takes_from_one_and_gives_to_the_other_from_that_moment() {
    let club = Club::new().await;
    let run = club.start(club.hall, &[club.anna]).await.unwrap();
    let (anna, ben, charge) = (club.anna, club.ben, Charge::Run(run.id));
    club.store.advance(MINUTE);
    let before = club.log_length().await;
    let give = move |tx: &mut Tx<'_>| commands::hand_over(tx, charge, Some(anna), ben);
    club.act(give).await.unwrap();
    let at = club.now();
    let earlier = at.minus(Duration::from_millis(1));
    for (person, moment, runs) in [
        (anna, START.minus(MINUTE), vec![]),
        (anna, START, vec![run.id]),
        (anna, earlier, vec![run.id]),
        (anna, at, vec![]),
        (ben, earlier, vec![]),
        (ben, at, vec![run.id]),
    ] {
        assert_eq!(club.scope_at(person, moment).await.runs, runs, "{person} at {moment}");
    }
    let topics = format!("run:{}", run.id);
    let log = club.log_after(before).await;
    assert_eq!(log.len(), 4);
    assert_eq!(
        log[0],
        (
            "supervision.changed".to_owned(),
            format!("{topics} user:{anna}:inbox user:{ben}:inbox lead"),
            json!({"charge": "run", "run_or_group_id": run.id, "staff_ids": [ben], "from": anna,
                "to": ben})
        )
    );
    assert_eq!((log[1].0.as_str(), &log[1].2["staff_ids"]), ("run.updated", &json!([ben])));
    assert_eq!(log[2].1, format!("user:{anna}:inbox"));
    assert_eq!(log[2].2, json!({"added": [], "removed": [topics]}));
    assert_eq!(log[3].1, format!("user:{ben}:inbox"));
    assert_eq!(log[3].2, json!({"added": [topics], "removed": []}));
    assert_eq!(code(club.act(give).await), "supervision.not_held");
    let audited = "select count(*) from audit where act = 'supervision.handed_over'";
    assert_eq!(club.store.number(audited).await, 1);
}
