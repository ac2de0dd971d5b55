//! Who is signed in: what every page begins with.

use axum::extract::State;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::Json;
use super::signed_in::SignedIn;
use crate::app::App;
use crate::base::Result;
use crate::base::id::{GroupId, PersonId, RoomId, RunId};
use crate::domain::house::{self, Language, Profile};
use crate::domain::people::{self, Role};
use crate::domain::rooms::{self, Group, Run};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(may(Who::PEOPLE, routes!(me)))
}

/// The signed-in person, the house, and what the person is responsible for.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Me {
    person: MyPerson,
    house: MyHouse,
    session_id: String,
    scope: MyScope,
}

/// The signed-in person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MyPerson {
    id: PersonId,
    display_name: String,
    role: Role,
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
async fn me(State(app): State<App>, who: SignedIn) -> Result<Json<Me>> {
    about(&app, who).await.map(Json)
}

/// Returns what a page of this person begins with.
pub async fn about(app: &App, who: SignedIn) -> Result<Me> {
    let now = app.clock.now();
    app.read(move |conn| {
        let person = people::queries::find(conn, who.person)?;
        let house = house::queries::house(conn)?;
        let house::House { name, profile, zone, language, demo, .. } = house;
        let scope = rooms::scope::of(conn, who.person, who.role, now)?;
        let (groups, runs) = scope.charges(conn)?;
        Ok(Me {
            person: MyPerson {
                id: person.id,
                display_name: person.display_name,
                role: person.role,
                language: person.language,
            },
            house: MyHouse { name, profile, zone, language, demo },
            session_id: who.session,
            scope: MyScope {
                groups: groups.into_iter().map(MyGroup::from).collect(),
                runs: runs.into_iter().map(MyRun::from).collect(),
            },
        })
    })
    .await
}

impl From<Group> for MyGroup {
    fn from(group: Group) -> MyGroup {
        MyGroup { id: group.id, name: group.name }
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
