//! A small house with rooms, a group, staff and readers, for the tests of visits.

use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::time::Duration;

use daybook::base::id::{GroupId, PersonId, RoomId, RunId, VisitId};
use daybook::base::{Actor, Error, Result, Timestamp};
use daybook::client::Client;
use daybook::domain::devices::model::{Intent, Mode, NewCode, Scanner, ShowName};
use daybook::domain::house::Language;
use daybook::domain::people::Role;
use daybook::domain::rooms::model::{NewActivity, NewGroup, NewRoom};
use daybook::domain::rooms::{self, GroupKind, NewRun, RoomKind, Scope, scope};
use daybook::domain::visits::marking::{self, Mark};
use daybook::domain::visits::model::Today;
use daybook::domain::visits::scan::{self, Scan, ScanResult, When};
use daybook::domain::visits::{self, Attendance, Counts, Status};
use daybook::domain::{devices, house, people};
use daybook::live::Tx;
use serde_json::{Value, json};

use crate::always::check;
use crate::server;
use crate::store::{PASSWORD, START, TestStore};

pub const MIA: &str = "DEB0A1A1";
pub const BEN: &str = "DEB0B2B2";
pub const ZOE: &str = "DEB0C3C3";
pub const EVA: &str = "DEB0E5E5";

pub struct Scene {
    store: TestStore,
    /// Responsible for the group and its runs.
    pub eva: PersonId,
    /// Responsible for nobody.
    pub otto: PersonId,
    pub lead: PersonId,
    pub office: PersonId,
    /// Of the group.
    pub mia: PersonId,
    pub ben: PersonId,
    /// Of no group.
    pub zoe: PersonId,
    pub blue: GroupId,
    /// Takes two.
    pub library: RoomId,
    pub gym: RoomId,
    pub door: Scanner,
    pub exit: Scanner,
    pub library_reader: Scanner,
    pub gym_reader: Scanner,
}

impl Scene {
    /// The scene at ten in the morning: nobody has come yet.
    pub async fn new() -> Scene {
        Scene::of(TestStore::new().await).await
    }

    async fn of(store: TestStore) -> Scene {
        let eva = store.person("Eva Engel", Role::Staff).await;
        let otto = store.person("Otto Ohm", Role::Staff).await;
        let lead = store.person("Lea Lang", Role::Admin).await;
        let office = store.person("Olga Orth", Role::Office).await;
        let mia = store.member("Mia Mohn", MIA).await;
        let ben = store.member("Ben Blau", BEN).await;
        let zoe = store.member("Zoe Zorn", ZOE).await;
        badge(&store, eva, EVA).await;
        let (blue, library, gym) = store
            .write(Actor::System, move |tx| {
                let name = "Blau".to_owned();
                let blue =
                    rooms::commands::new_group(tx, &NewGroup { name, kind: GroupKind::Care })?;
                rooms::commands::set_group_members(tx, blue, &[mia, ben])?;
                rooms::commands::set_group_staff(tx, blue, &[eva])?;
                let (library, gym) = (room(tx, "Bibliothek", 2)?, room(tx, "Turnhalle", 30)?);
                for name in ["Lesen", "Turnen"] {
                    let name = name.to_owned();
                    rooms::commands::new_activity(tx, &NewActivity { name, default_room: None })?;
                }
                Ok((blue, library, gym))
            })
            .await
            .unwrap();
        let door = reader(&store, Mode::DoorIn, None).await;
        let exit = reader(&store, Mode::DoorOut, None).await;
        let library_reader = reader(&store, Mode::Room, Some(library)).await;
        let gym_reader = reader(&store, Mode::Room, Some(gym)).await;
        Scene {
            store,
            eva,
            otto,
            lead,
            office,
            mia,
            ben,
            zoe,
            blue,
            library,
            gym,
            door,
            exit,
            library_reader,
            gym_reader,
        }
    }

    /// Serves the scene, and signs these in, in their order.
    pub async fn signed_in<const N: usize>(&self, people: [PersonId; N]) -> [Client; N] {
        let (address, _) = server::serve(&self.store.app).await;
        let hash = self.store.app.hasher.hash(PASSWORD.to_owned()).await.unwrap();
        let mut clients = Vec::new();
        for person in people {
            let (hash, username) = (hash.clone(), format!("user{person}"));
            let name = username.clone();
            let open = move |tx: &mut Tx<'_>| match people::queries::account(tx, person)? {
                None => people::commands::open_account(tx, person, &name, &hash),
                Some(_) => Ok(()),
            };
            self.store.write(Actor::System, open).await.unwrap();
            let nobody = || Client::new(address).with("origin", format!("http://{address}"));
            let credentials = json!({ "username": username, "password": PASSWORD });
            let answer = nobody().post("/api/v1/login", &credentials).await.unwrap();
            assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
            clients.push(nobody().with("cookie", answer.cookies()));
        }
        clients.try_into().ok().unwrap()
    }

    pub fn now(&self) -> Timestamp {
        Timestamp(self.store.now.load(Ordering::Relaxed))
    }

    /// The moment so many minutes after the scene's begin.
    pub fn minute(minutes: i64) -> Timestamp {
        Timestamp(START.0 + minutes * 60_000)
    }

    pub fn set(&self, at: Timestamp) {
        self.store.now.store(at.0, Ordering::Relaxed);
    }

    pub fn pass(&self, seconds: u64) {
        self.store.advance(Duration::from_secs(seconds));
    }

    pub async fn run(&self, room: RoomId, staff: &[PersonId]) -> RunId {
        let staff = staff.to_vec();
        let activity = self.store.number("select min(activity_id) from activity").await;
        self.store
            .write(Actor::System, move |tx| {
                let activity = daybook::base::id::ActivityId(activity);
                Ok(rooms::commands::start_run(tx, &NewRun { activity, room, staff })?.id)
            })
            .await
            .unwrap()
    }

    /// A badge held to a reader just now.
    pub async fn tap(&self, reader: &Scanner, tag: &str) -> ScanResult {
        self.scan(reader, tap(tag, When::Now)).await
    }

    pub async fn scan(&self, reader: &Scanner, scan: Scan) -> ScanResult {
        self.scans(reader, vec![scan]).await.remove(0)
    }

    pub async fn scans(&self, reader: &Scanner, scans: Vec<Scan>) -> Vec<ScanResult> {
        let reader = *reader;
        let write = move |tx: &mut Tx<'_>| scan::scan_all(tx, &reader, &scans);
        self.store.write(Actor::Device(reader.device), write).await.unwrap()
    }

    pub async fn start(&self, by: PersonId, member: PersonId, run: RunId) -> Result<VisitId> {
        self.act(by, move |tx, scope| visits::commands::start(tx, scope, member, run)).await
    }

    pub async fn end(&self, by: PersonId, visit: VisitId) -> Result<()> {
        self.act(by, move |tx, scope| visits::commands::end(tx, scope, visit)).await
    }

    pub async fn undo(&self, by: PersonId, visit: VisitId) -> Result<()> {
        self.act(by, move |tx, scope| visits::commands::undo(tx, scope, visit)).await
    }

    pub async fn mark(&self, by: PersonId, member: PersonId, status: Status) -> Result<Attendance> {
        self.mark_as(by, member, Mark { status, reason: None, at: None }).await
    }

    pub async fn mark_as(&self, by: PersonId, member: PersonId, mark: Mark) -> Result<Attendance> {
        self.act(by, move |tx, scope| marking::mark(tx, scope, member, &mark)).await
    }

    /// Acts with the scope that `by` has now.
    pub async fn act<T: Send + 'static>(
        &self,
        by: PersonId,
        act: impl FnOnce(&mut Tx<'_>, &Scope) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.store
            .write(Actor::Person(by), move |tx| {
                let person = people::queries::find(tx, by)?;
                let scope = scope::of(tx, by, person.role, tx.now)?;
                act(tx, &scope)
            })
            .await
    }

    pub async fn end_run(&self, run: RunId) -> usize {
        let end = move |tx: &mut Tx<'_>| visits::commands::end_run(tx, run, "ended");
        self.store.write(Actor::Person(self.eva), end).await.unwrap().ended_visits
    }

    pub async fn counts(&self) -> Counts {
        let now = self.now();
        self.store
            .read(move |conn| {
                let day = house::queries::house(conn)?.day(now);
                visits::queries::counts(conn, day)
            })
            .await
    }

    pub async fn status(&self, person: PersonId) -> Status {
        let now = self.now();
        self.store
            .read(move |conn| {
                visits::queries::status_today(conn, person, Today::at(conn, now)?.day)
            })
            .await
    }

    /// The room that somebody is in.
    pub async fn room_of(&self, person: PersonId) -> Option<RoomId> {
        let visit = self.store.read(move |conn| visits::queries::open_visit(conn, person)).await;
        visit.map(|visit| visit.room)
    }

    pub async fn visit_of(&self, person: PersonId) -> VisitId {
        self.store.read(move |conn| visits::queries::open_visit(conn, person)).await.unwrap().id
    }

    /// The logged events of one type, in order, each with its topics.
    pub async fn events(&self, kind: &'static str) -> Vec<(String, Value)> {
        self.store
            .read(move |conn| {
                let mut statement = conn
                    .prepare("select topics, data from event_log where type = ?1 order by seq")?;
                let rows = statement.query_map([kind], |row| {
                    let (topics, data): (String, String) = (row.get(0)?, row.get(1)?);
                    Ok((topics, serde_json::from_str(&data).unwrap()))
                })?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
            .await
    }

    /// Checks what must hold at every moment.
    pub async fn check(&self) {
        let now = self.now();
        self.store
            .read(move |conn| {
                check(conn, now).unwrap();
                Ok(())
            })
            .await;
    }
}

impl Deref for Scene {
    type Target = TestStore;

    fn deref(&self) -> &TestStore {
        &self.store
    }
}

/// A tap with an id of its own.
pub fn tap(tag: &str, at: When) -> Scan {
    let id = daybook::base::secret::hex(&daybook::base::secret::random::<13>().unwrap());
    Scan { scan_id: id, tag: tag.to_owned(), at, intent: Intent::Auto, room: None, seq: None }
}

pub async fn badge(store: &TestStore, person: PersonId, tag: &str) {
    let tag = tag.to_owned();
    let hand_out =
        move |tx: &mut Tx<'_>| daybook::domain::people::commands::hand_out_badge(tx, person, &tag);
    store.write(Actor::System, hand_out).await.unwrap();
}

/// The code of the conflict that somebody ran into.
pub fn conflict<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
    match result {
        Err(Error::Conflict { code, .. }) => code,
        other => panic!("no conflict: {other:?}"),
    }
}

fn room(tx: &mut Tx<'_>, name: &str, capacity: i64) -> Result<RoomId> {
    let new = NewRoom { name: name.to_owned(), kind: RoomKind::Room, capacity };
    rooms::commands::new_room(tx, &new)
}

/// Enrols a reader.
pub async fn reader(store: &TestStore, mode: Mode, room: Option<RoomId>) -> Scanner {
    let device = store
        .write(Actor::System, move |tx| {
            let new = NewCode { name: format!("{mode:?}"), mode, room };
            let code = devices::commands::issue_code(tx, &new)?.text;
            let text = || "x".to_owned();
            let enrolment =
                devices::model::Enrolment { code, serial: text(), model: text(), firmware: text() };
            Ok(devices::commands::enrol(tx, &enrolment)?.device)
        })
        .await
        .unwrap();
    Scanner {
        device,
        mode,
        room,
        language: Language::De,
        show_name: ShowName::First,
        daily_checkout_from: None,
        skew_ms: 0,
    }
}
