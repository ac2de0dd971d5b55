//! The house board: one snapshot of the whole house.

use axum::extract::State;
use rusqlite::Connection;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::Json;
use super::signed_in::Principal;
use crate::app::{App, AsOf};
use crate::base::id::{RoomId, RunId};
use crate::base::{Result, Timestamp};
use crate::domain::help::Figures;
use crate::domain::people::Role;
use crate::domain::visits::Counts;
use crate::domain::{devices, help, house, rooms, visits};

/// Returns the route of the board.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(may(Who::TEAM | Who::DISPLAY, routes!(show)))
}

/// The whole house at one moment. What the caller may not see is absent.
#[derive(Serialize, utoipa::ToSchema)]
struct Board {
    #[serde(flatten)]
    as_of: AsOf,
    #[serde(flatten)]
    house: BoardOfHouse,
}

#[derive(Serialize, utoipa::ToSchema)]
struct BoardOfHouse {
    house_name: String,
    counts: Counts,
    rooms: Vec<RoomCard>,
    help: BoardHelp,
    #[serde(skip_serializing_if = "Option::is_none")]
    devices: Option<BoardDevices>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct BoardDevices {
    #[serde(flatten)]
    counts: devices::Counts,
    /// Which ones are late or offline.
    unheard: Vec<devices::model::Unheard>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct RoomCard {
    id: RoomId,
    name: String,
    count: i64,
    capacity: i64,
    run: Option<RunCard>,
    /// Whether somebody is responsible for the run that is on; true without a run.
    supervised: bool,
}

#[derive(Serialize, utoipa::ToSchema)]
struct RunCard {
    id: RunId,
    activity_name: String,
    /// Display names; absent for a wall screen.
    #[serde(skip_serializing_if = "Option::is_none")]
    staff: Option<Vec<String>>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct BoardHelp {
    /// Requests that wait for somebody.
    length: i64,
    /// Requests that are not done: waiting, in hand or on hold.
    open: i64,
    longest_wait_s: i64,
    /// Half of those helped today waited no longer than this; `null` when nobody was helped.
    median_wait_s: Option<i64>,
}

/// The house at a glance: counts, rooms, help, devices.
#[utoipa::path(get, path = "/api/v1/board", tag = "house",
    responses((status = 200, body = Board)))]
async fn show(State(app): State<App>, who: Principal) -> Result<Json<Board>> {
    let (as_of, house) = app.snapshot(move |conn, now| board(conn, &who, now)).await?;
    Ok(Json(Board { as_of, house }))
}

fn board(conn: &Connection, who: &Principal, now: Timestamp) -> Result<BoardOfHouse> {
    let role = match who {
        Principal::Person(who) => Some(who.role),
        Principal::Device(_) | Principal::Display(_) | Principal::Operator => None,
    };
    let house = house::queries::house(conn)?;
    let day = house.day(now);
    let Figures { length, open, longest_wait_s, median_wait_s } =
        help::queries::figures(conn, day, now)?;
    Ok(BoardOfHouse {
        house_name: house.name,
        counts: visits::queries::counts(conn, day)?,
        rooms: room_cards(conn, role.is_some())?,
        help: BoardHelp { length, open, longest_wait_s, median_wait_s },
        devices: match role {
            Some(Role::Admin | Role::Office) => Some(BoardDevices {
                counts: devices::queries::counts(conn)?,
                unheard: devices::queries::unheard(conn)?,
            }),
            _ => None,
        },
    })
}

fn room_cards(conn: &Connection, with_staff: bool) -> Result<Vec<RoomCard>> {
    let counts = visits::queries::occupancies(conn)?;
    let runs = rooms::queries::open_runs(conn)?;
    let supervisors = rooms::queries::supervisors_now(conn)?;
    let cards = rooms::queries::rooms(conn)?.into_iter().map(|room| {
        let run = runs.iter().find(|run| run.room == room.id);
        let staff = |run: RunId| {
            let of_run = supervisors.iter().filter(move |(of, _)| *of == run);
            of_run.map(|(_, staff)| staff.display_name.clone())
        };
        RoomCard {
            count: counts.iter().find(|at| at.room_id == room.id).map_or(0, |at| at.count),
            supervised: run.is_none_or(|run| staff(run.id).next().is_some()),
            run: run.map(|run| RunCard {
                id: run.id,
                activity_name: run.activity_name.clone(),
                staff: with_staff.then(|| staff(run.id).collect()),
            }),
            id: room.id,
            name: room.name,
            capacity: room.capacity,
        }
    });
    Ok(cards.collect())
}
