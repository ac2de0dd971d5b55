//! Who is signed in, a person or a wall screen: what every page begins with.

use axum::extract::State;
use rusqlite::Connection;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::Json;
use super::signed_in::{Principal, Screen, SignedIn};
use crate::app::{App, AsOf};
use crate::base::id::{GroupId, RoomId, RunId};
use crate::base::{Error, Result, Timestamp};
use crate::domain::devices;
use crate::domain::help;
use crate::domain::house::{self, House, Language, Profile};
use crate::domain::people::{self, Role};
use crate::domain::rooms::{self, Group, Run};
use crate::domain::visits;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::PEOPLE | Who::DISPLAY, routes!(me)))
        .routes(may(Who::MEMBER, routes!(whereabouts)))
}

/// What a page begins with: its first snapshot.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Me {
    #[serde(flatten)]
    as_of: AsOf,
    #[serde(flatten)]
    caller: Caller,
}

/// The signed-in person, the house, and what the person is responsible for.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Caller {
    person: MyPerson,
    house: MyHouse,
    session_id: String,
    scope: MyScope,
    /// How many offers of supervision wait for the person to say yes or no.
    offers: i64,
    /// How many of the person's own offers wait for a colleague to say yes or no.
    offered: i64,
    /// How many wait for help: of those whom staff see, of all for lead and office. News of it:
    /// `queue.changed`, and for staff whatever changes whom they see.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<usize>,
    /// Every group of the house, for lead and office; empty for others.
    groups: Vec<MyGroup>,
}

/// The signed-in person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MyPerson {
    /// The person's id, or `display:3` of a wall screen.
    id: String,
    display_name: String,
    /// `admin`, `office`, `staff`, `member`, or `display`.
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<Language>,
}

/// What every page says of the house.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MyHouse {
    name: String,
    profile: Profile,
    zone: String,
    language: Language,
    demo: bool,
}

/// What the person is responsible for now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MyScope {
    groups: Vec<MyGroup>,
    runs: Vec<MyRun>,
}

/// A group that the person is responsible for.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MyGroup {
    id: GroupId,
    name: String,
}

/// A run that the person supervises.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MyRun {
    id: RunId,
    activity_name: String,
    room_id: RoomId,
    room_name: String,
}

/// Returns who is signed in.
#[utoipa::path(get, path = "/api/v1/me", tag = "people", responses((status = 200, body = Me)))]
async fn me(State(app): State<App>, who: Principal) -> Result<Json<Me>> {
    match who {
        Principal::Person(who) => about(&app, who).await.map(Json),
        Principal::Display(screen) => about_screen(&app, screen).await.map(Json),
        Principal::Device(_) | Principal::Operator => Err(Error::Forbidden("access.role")),
    }
}

/// Returns what a page of this person begins with.
pub async fn about(app: &App, who: SignedIn) -> Result<Me> {
    let read = move |conn: &Connection, now| {
        let person = people::queries::find(conn, who.person)?;
        let scope = rooms::scope::of(conn, who.person, who.role, now)?;
        let (groups, runs) = scope.charges(conn)?;
        let whole = [Role::Admin, Role::Office].contains(&who.role);
        let waiting = (who.role != Role::Member).then(|| help::queries::waiting(conn, &scope));
        Ok(Caller {
            person: MyPerson {
                id: person.id.to_string(),
                display_name: person.display_name,
                role: person.role.word(),
                language: person.language,
            },
            house: house::queries::house(conn)?.into(),
            session_id: who.session,
            offers: rooms::offers::count_to(conn, who.person)?,
            offered: rooms::offers::count_by(conn, who.person)?,
            waiting: waiting.transpose()?,
            groups: named(if whole { rooms::queries::groups(conn)? } else { Vec::new() }),
            scope: MyScope {
                groups: named(groups),
                runs: runs.into_iter().map(MyRun::from).collect(),
            },
        })
    };
    let (as_of, caller) = app.snapshot(read).await?;
    Ok(Me { as_of, caller })
}

fn named(groups: Vec<Group>) -> Vec<MyGroup> {
    groups.into_iter().map(|Group { id, name, .. }| MyGroup { id, name }).collect()
}

/// Where a member is, as the house has it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Whereabouts {
    #[serde(flatten)]
    as_of: AsOf,
    /// Whether the member is in the house now.
    present: bool,
    /// The room and what goes on there; null between rooms.
    room: Option<MyRoom>,
}

/// The room that a member is in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MyRoom {
    id: RoomId,
    name: String,
    activity_name: String,
    since: Timestamp,
}

/// Where the caller is: present or not, and in which room. `house.counts_changed` and
/// `room.occupancy_changed` say when it may have changed.
#[utoipa::path(get, path = "/api/v1/me/whereabouts", tag = "people",
    responses((status = 200, body = Whereabouts)))]
async fn whereabouts(State(app): State<App>, who: SignedIn) -> Result<Json<Whereabouts>> {
    let (as_of, (present, room)) = app
        .snapshot(move |conn, now| {
            let day = house::queries::house(conn)?.day(now);
            let status = visits::queries::status_today(conn, who.person, day)?;
            let room = match visits::queries::open_visit(conn, who.person)? {
                None => None,
                Some(visit) => {
                    let run = rooms::queries::run(conn, visit.run)?;
                    let Run { room: id, room_name: name, activity_name, .. } = run;
                    Some(MyRoom { id, name, activity_name, since: visit.started_at })
                }
            };
            Ok((status == visits::Status::Present, room))
        })
        .await?;
    Ok(Json(Whereabouts { as_of, present, room }))
}

async fn about_screen(app: &App, screen: Screen) -> Result<Me> {
    let read = move |conn: &Connection, _| {
        let display = devices::queries::display(conn, screen.display)?;
        let session_id = display.id.session();
        Ok(Caller {
            person: MyPerson {
                id: session_id.clone(),
                display_name: display.name,
                role: "display",
                language: None,
            },
            house: house::queries::house(conn)?.into(),
            session_id,
            offers: 0,
            offered: 0,
            waiting: None,
            groups: Vec::new(),
            scope: MyScope { groups: Vec::new(), runs: Vec::new() },
        })
    };
    let (as_of, caller) = app.snapshot(read).await?;
    Ok(Me { as_of, caller })
}

impl From<House> for MyHouse {
    fn from(house: House) -> MyHouse {
        let House { name, profile, zone, language, demo, .. } = house;
        MyHouse { name, profile, zone, language, demo }
    }
}

impl From<Run> for MyRun {
    fn from(run: Run) -> MyRun {
        MyRun {
            id: run.id,
            activity_name: run.activity_name,
            room_id: run.room,
            room_name: run.room_name,
        }
    }
}
