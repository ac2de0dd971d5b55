//! Runs: the open ones; starting, ending and taking up again; taking over what
//! nobody supervises. Who is in a run stands with the visits.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Act, Json, Path, Query};
use super::signed_in::SignedIn;
use super::squeeze::squeezed;
use crate::app::{App, AsOf};
use crate::base::id::{ActivityId, PersonId, RoomId, RunId};
use crate::base::page::{Page, Paging};
use crate::base::{Error, Result, Timestamp};
use crate::domain::people::Role;
use crate::domain::rooms::{self, NewRun, commands, queries, scope};
use crate::domain::visits;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::ADMIN | Who::STAFF, squeezed(routes!(list))))
        .routes(may(Who::ADMIN | Who::STAFF, routes!(start)))
        .routes(may(Who::ADMIN | Who::STAFF, routes!(end)))
        .routes(may(Who::ADMIN | Who::STAFF, routes!(reopen)))
        .routes(may(Who::ADMIN | Who::STAFF, routes!(take_over)))
}

/// One occurrence of an activity, in one room.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Run {
    id: RunId,
    activity_id: ActivityId,
    activity_name: String,
    room_id: RoomId,
    room_name: String,
    /// How many the room takes.
    capacity: i64,
    /// How many are in it now.
    count: i64,
    started_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    /// Until when an ended run can be taken up again; missing when the day was closed meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    undo_until: Option<Timestamp>,
    /// Who supervises it, or did when it ended.
    staff: Vec<Supervisor>,
}

/// Somebody who is responsible for a run or a group.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Supervisor {
    id: PersonId,
    display_name: String,
}

impl Supervisor {
    /// Returns somebody by name.
    pub fn new(id: PersonId, display_name: String) -> Supervisor {
        Supervisor { id, display_name }
    }
}

impl From<rooms::Supervisor> for Supervisor {
    fn from(who: rooms::Supervisor) -> Supervisor {
        Supervisor { id: who.id, display_name: who.display_name }
    }
}

impl From<rooms::RunFacts> for Run {
    fn from(facts: rooms::RunFacts) -> Run {
        let run = facts.run;
        Run {
            id: run.id,
            activity_id: run.activity,
            undo_until: facts.undo_until,
            activity_name: run.activity_name,
            room_id: run.room,
            room_name: run.room_name,
            capacity: run.capacity,
            count: facts.count,
            started_at: run.started_at,
            ended_at: run.ended_at,
            staff: facts.staff.into_iter().map(Supervisor::from).collect(),
        }
    }
}

/// The open runs at one moment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Runs {
    #[serde(flatten)]
    at: AsOf,
    #[serde(flatten)]
    page: Page<Run>,
}

/// Lists the open runs that the caller supervises; the lead sees all.
#[utoipa::path(get, path = "/api/v1/runs", tag = "rooms", params(Paging),
    responses((status = 200, body = Runs)))]
async fn list(
    State(app): State<App>,
    who: SignedIn,
    Query(paging): Query<Paging>,
) -> Result<Json<Runs>> {
    let read = app.snapshot(move |conn, now| {
        let scope = scope::of(conn, who.person, who.role, now)?;
        let mut runs = queries::open_runs(conn)?;
        runs.retain(|run| who.role == Role::Admin || scope.supervises(run.id));
        let facts = runs.into_iter().map(|run| queries::run_facts(conn, run));
        Page::part(facts.collect::<Result<Vec<_>>>()?, &paging)
    });
    let (at, page) = read.await?;
    Ok(Json(Runs { at, page }))
}

/// What is needed to start a run.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct StartBody {
    activity_id: ActivityId,
    room_id: RoomId,
    /// Who supervises it; one of the staff must be among them when starting it.
    #[schema(min_items = 1, max_items = 20)]
    staff_ids: Vec<PersonId>,
}

/// Starts a run.
#[utoipa::path(post, path = "/api/v1/runs", tag = "rooms", request_body = StartBody,
    responses((status = 201, body = Run),
        (status = 403, description = "`run.not_own`: the caller is not among the staff"),
        (status = 409, description = "`run.room_taken`"), (status = 422)))]
async fn start(
    State(app): State<App>,
    who: SignedIn,
    act: Act<StartBody>,
) -> Result<(StatusCode, Json<Run>)> {
    let StartBody { activity_id, room_id, staff_ids } = act.body;
    if who.role == Role::Staff && !staff_ids.contains(&who.person) {
        return Err(Error::Forbidden("run.not_own"));
    }
    let new = NewRun { activity: activity_id, room: room_id, staff: staff_ids };
    let run = app.write_once(act.once, who.actor(), "rooms.start_run", move |tx| {
        let run = commands::start_run(tx, &new)?;
        queries::run_facts(tx, run).map(Run::from)
    });
    Ok((StatusCode::CREATED, Json(run.await?)))
}

/// What the end of a run has done.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RunEnded)]
struct RunEnd {
    /// How many were in it.
    ended_visits: usize,
    /// Until when it can be taken up again; null when its day is closed.
    undo_until: Option<Timestamp>,
}

/// Ends a run of the caller's, with every visit in it.
#[utoipa::path(post, path = "/api/v1/runs/{id}/end", tag = "rooms", params(("id" = RunId, Path)),
    responses((status = 200, body = RunEnd), (status = 404),
        (status = 403, description = "`run.not_own`"), (status = 409, description = "`run.ended`")))]
async fn end(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<RunId>,
    act: Act<()>,
) -> Result<Json<RunEnd>> {
    let end = app.write_once(act.once, who.actor(), "visits.end_run", move |tx| {
        scope::of(tx, who.person, who.role, tx.now)?.require_run(tx, id)?;
        let end = visits::commands::end_run(tx, id, "ended")?;
        Ok(RunEnd { ended_visits: end.ended_visits, undo_until: end.undo_until })
    });
    end.await.map(Json)
}

/// Takes up again a run that ended less than five minutes ago, with its staff
/// and with those who were in it and are nowhere else since.
#[utoipa::path(post, path = "/api/v1/runs/{id}/reopen", tag = "rooms",
    params(("id" = RunId, Path)),
    responses((status = 200, body = Run), (status = 404),
        (status = 403, description = "`run.not_own`"),
        (status = 409, description = "`run.reopen_too_late`, `run.room_taken`, `run.not_ended`")))]
async fn reopen(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<RunId>,
    act: Act<()>,
) -> Result<Json<Run>> {
    let run = app.write_once(act.once, who.actor(), "visits.reopen_run", move |tx| {
        scope::of(tx, who.person, who.role, tx.now)?.require_last(tx, id)?;
        let run = visits::commands::reopen_run(tx, id)?;
        queries::run_facts(tx, run).map(Run::from)
    });
    run.await.map(Json)
}

/// Makes the caller responsible for a run that nobody supervises.
#[utoipa::path(post, path = "/api/v1/runs/{id}/take-over", tag = "rooms",
    params(("id" = RunId, Path)),
    responses((status = 200, body = Run), (status = 404),
        (status = 409, description = "`supervision.held`, `run.ended`")))]
async fn take_over(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<RunId>,
    act: Act<()>,
) -> Result<Json<Run>> {
    let run = app.write_once(act.once, who.actor(), "rooms.take_over", move |tx| {
        let run = commands::take_over(tx, id, who.person)?;
        queries::run_facts(tx, run).map(Run::from)
    });
    run.await.map(Json)
}
