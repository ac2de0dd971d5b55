//! Visits by hand, and a person's visits.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Act, Json, Path, Query};
use super::signed_in::SignedIn;
use crate::app::App;
use crate::base::id::{PersonId, RunId, VisitId};
use crate::base::page::{Page, Paging};
use crate::base::{Error, Result, Timestamp};
use crate::domain::people::Role;
use crate::domain::rooms::scope;
use crate::domain::visits::commands;
use crate::domain::visits::lists::{self, PastVisit, Stay};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::ADMIN | Who::STAFF, routes!(start)))
        .routes(may(Who::ADMIN | Who::STAFF, routes!(end)))
        .routes(may(Who::ADMIN | Who::STAFF, routes!(undo)))
        .routes(may(Who::ADMIN | Who::STAFF | Who::MEMBER, routes!(history)))
}

/// Who goes into which run.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Start {
    member_id: PersonId,
    run_id: RunId,
}

/// Checks a member into a run. Who is in another one is transferred, who was not in the house has
/// arrived. A member who is in the house may be brought from out of the caller's scope, too.
#[utoipa::path(post, path = "/api/v1/visits", tag = "visits", request_body = Start,
    responses((status = 201, body = Stay), (status = 403, description = "`run.not_own`"),
        (status = 404), (status = 409, description =
        "`visit.room_full`, `visit.run_ended`, `visit.already_in`, `visit.not_present`")))]
async fn start(
    State(app): State<App>,
    who: SignedIn,
    act: Act<Start>,
) -> Result<(StatusCode, Json<Stay>)> {
    let Start { member_id, run_id } = act.body;
    let stay = app.write_once(act.once, who.actor(), "visits.start", move |tx| {
        let scope = scope::of(tx, who.person, who.role, tx.now)?;
        let visit = commands::start(tx, &scope, member_id, run_id)?;
        lists::stay(tx, visit, tx.now)
    });
    Ok((StatusCode::CREATED, Json(stay.await?)))
}

/// Checks a member out of a run; they stay in the house.
#[utoipa::path(post, path = "/api/v1/visits/{id}/end", tag = "visits",
    params(("id" = VisitId, Path)),
    responses((status = 200, body = Stay), (status = 404),
        (status = 409, description = "`visit.ended`")))]
async fn end(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<VisitId>,
    act: Act<()>,
) -> Result<Json<Stay>> {
    let stay = app.write_once(act.once, who.actor(), "visits.end", move |tx| {
        let scope = scope::of(tx, who.person, who.role, tx.now)?;
        commands::end(tx, &scope, id)?;
        lists::stay(tx, id, tx.now)
    });
    stay.await.map(Json)
}

/// Takes back what happened last to a visit, within five minutes: its end, or its start together
/// with the transfer and the arrival that it was.
#[utoipa::path(post, path = "/api/v1/visits/{id}/undo", tag = "visits",
    params(("id" = VisitId, Path)),
    responses((status = 200, body = Stay), (status = 404), (status = 409, description =
        "`visit.undo_too_late`, `visit.elsewhere`, `visit.run_ended`, `visit.room_full`, `visit.undone`")))]
async fn undo(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<VisitId>,
    act: Act<()>,
) -> Result<Json<Stay>> {
    let stay = app.write_once(act.once, who.actor(), "visits.undo", move |tx| {
        let scope = scope::of(tx, who.person, who.role, tx.now)?;
        commands::undo(tx, &scope, id)?;
        lists::stay(tx, id, tx.now)
    });
    stay.await.map(Json)
}

/// Whose visits, and since when.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Whose; the caller's own when not said.
    member_id: Option<PersonId>,
    /// Only visits that began then or later. Staff see today's in any case.
    since: Option<Timestamp>,
    /// How many items at the most (1 to 500, default 50).
    limit: Option<u32>,
    /// Where the page before ended, as its `next_cursor` said.
    cursor: Option<String>,
}

/// Lists a person's visits, the newest first. A look at somebody else's leaves a line in the audit.
#[utoipa::path(get, path = "/api/v1/visits", tag = "visits", params(Asked),
    responses((status = 200, body = Page<PastVisit>), (status = 404)))]
async fn history(
    State(app): State<App>,
    who: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<PastVisit>>> {
    let Asked { member_id, since, limit, cursor } = asked;
    let (paging, person) = (Paging { limit, cursor }, member_id.unwrap_or(who.person));
    let page = if person == who.person {
        let since = since.unwrap_or(Timestamp(0));
        app.read(move |conn| lists::history(conn, person, since, &paging)).await?
    } else if who.role == Role::Member {
        return Err(Error::NotFound("person"));
    } else {
        app.write(who.actor(), "visits.read", move |tx| {
            let scope = scope::of(tx, who.person, who.role, tx.now)?;
            lists::look_up_history(tx, &scope, person, since, &paging)
        })
        .await?
    };
    Ok(Json(page))
}
