//! Who is where: the snapshots that the pages of a run and of a group begin with.

use axum::extract::State;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Json, Path};
use super::rooms::Group;
use super::runs::{Run, Supervisor};
use super::signed_in::SignedIn;
use super::squeeze::squeezed;
use crate::app::{App, AsOf};
use crate::base::Result;
use crate::base::id::{GroupId, RunId};
use crate::domain::people::Role;
use crate::domain::rooms::{queries, scope};
use crate::domain::visits::snapshots::{self, InGroup, InRun};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::ADMIN | Who::STAFF, squeezed(routes!(run))))
        .routes(may(Who::TEAM, squeezed(routes!(group))))
}

/// A run and its people at one moment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RunPage {
    #[serde(flatten)]
    at: AsOf,
    run: Run,
    #[serde(flatten)]
    people: InRun,
}

/// Shows who is in a run, who could be, and who was. For those who supervise it, and the lead.
#[utoipa::path(get, path = "/api/v1/runs/{id}", tag = "visits", params(("id" = RunId, Path)),
    responses((status = 200, body = RunPage), (status = 403, description = "`run.not_own`"),
        (status = 404)))]
async fn run(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<RunId>,
) -> Result<Json<RunPage>> {
    let read = app.snapshot(move |conn, now| {
        let scope = scope::of(conn, who.person, who.role, now)?;
        scope.require_run(conn, id)?;
        let run = queries::run(conn, id)?;
        let people = snapshots::in_run(conn, &scope, &run)?;
        Ok((Run::from(queries::run_facts(conn, run)?), people))
    });
    let (at, (run, people)) = read.await?;
    Ok(Json(RunPage { at, run, people }))
}

/// A group and its members at one moment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct GroupPage {
    #[serde(flatten)]
    at: AsOf,
    group: Group,
    /// Who is responsible for it now, substitutes included.
    staff: Vec<Supervisor>,
    #[serde(flatten)]
    members: InGroup,
}

/// Shows where the members of a group are. For those responsible for it, and the lead. The office,
/// which marks the attendance of all, sees of any group who is here, and not where: whoever is in
/// the house stands in `on_the_way` for it, since they came.
#[utoipa::path(get, path = "/api/v1/groups/{id}", tag = "visits", params(("id" = GroupId, Path)),
    responses((status = 200, body = GroupPage), (status = 403, description = "`group.not_own`"),
        (status = 404)))]
async fn group(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<GroupId>,
) -> Result<Json<GroupPage>> {
    let read = app.snapshot(move |conn, now| {
        let scope = scope::of(conn, who.person, who.role, now)?;
        if who.role != Role::Office {
            scope.require_group(conn, id)?;
        }
        let group = queries::group(conn, id)?;
        let staff = queries::staff_of_group(conn, id)?;
        Ok((group, staff, snapshots::in_group(conn, &scope, id)?))
    });
    let (at, (group, staff, members)) = read.await?;
    let staff = staff.into_iter().map(Supervisor::from).collect();
    Ok(Json(GroupPage { at, group: Group::from(group), staff, members }))
}
