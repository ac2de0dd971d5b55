//! Attendance of the day: marking by hand, the list of a day, and the scans that
//! a person must look at.

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
use crate::base::id::{PersonId, ScanReviewId};
use crate::base::page::{Page, Paging};
use crate::base::{Day, Result, Timestamp};
use crate::domain::help;
use crate::domain::rooms::scope;
use crate::domain::visits::lists::{self, DayOf, Review};
use crate::domain::visits::marking::Mark;
use crate::domain::visits::{Attendance, Status};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::TEAM, routes!(mark)))
        .routes(may(Who::TEAM, squeezed(routes!(list))))
        .routes(may(Who::ADMIN | Who::OFFICE, squeezed(routes!(reviews))))
        .routes(may(Who::ADMIN | Who::OFFICE, routes!(reviewed)))
}

/// How a member stands to the house today.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct MarkBody {
    /// `expected` takes an absence back.
    status: Status,
    /// Why; shown to those in charge only.
    reason: Option<String>,
    /// When the member came or left, today; just now when not said.
    at: Option<Timestamp>,
}

/// Marks a member's attendance of today. Lead and office may do so for all, staff for those in
/// their scope; each leaves a line in the audit.
#[utoipa::path(post, path = "/api/v1/attendance/{member_id}", tag = "visits",
    request_body = MarkBody, params(("member_id" = PersonId, Path)),
    responses((status = 200, body = Attendance), (status = 404), (status = 422),
        (status = 409, description = "`attendance.has_visits`")))]
async fn mark(
    State(app): State<App>,
    who: SignedIn,
    Path(member): Path<PersonId>,
    act: Act<MarkBody>,
) -> Result<Json<Attendance>> {
    let MarkBody { status, reason, at } = act.body;
    let note = Mark { status, reason, at };
    let marked = app.write_once(act.once, who.actor(), "visits.mark", move |tx| {
        let scope = scope::of(tx, who.person, who.role, tx.now)?;
        help::leaving::mark(tx, &scope, member, &note)
    });
    marked.await.map(Json)
}

/// Which day's attendance.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Today, when not said. Staff see today's only.
    #[param(value_type = Option<String>, format = Date)]
    day: Option<Day>,
    /// How many items at the most (1 to 500, default 50).
    limit: Option<u32>,
    /// Where the page before ended, as its `next_cursor` said.
    cursor: Option<String>,
}

/// The attendance of a day at one moment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DayPage {
    #[serde(flatten)]
    at: AsOf,
    day: Day,
    #[serde(flatten)]
    page: Page<DayOf>,
}

/// Lists how members stand to the house on a day, by name. Staff see those in their scope.
#[utoipa::path(get, path = "/api/v1/attendance", tag = "visits", params(Asked),
    responses((status = 200, body = DayPage),
        (status = 403, description = "`attendance.other_day`"), (status = 422)))]
async fn list(
    State(app): State<App>,
    who: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Json<DayPage>> {
    let Asked { day, limit, cursor } = asked;
    let paging = Paging { limit, cursor };
    let read = app.snapshot(move |conn, now| {
        let scope = scope::of(conn, who.person, who.role, now)?;
        let (day, found) = lists::attendance(conn, &scope, day, &paging)?;
        Ok((day, Page::of(found, &paging)?))
    });
    let (at, (day, page)) = read.await?;
    Ok(Json(DayPage { at, day, page }))
}

/// The scans to be looked at, at one moment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Reviews {
    #[serde(flatten)]
    at: AsOf,
    #[serde(flatten)]
    page: Page<Review>,
}

/// Lists the scans that nobody has looked at yet, the oldest first.
#[utoipa::path(get, path = "/api/v1/scans/review", tag = "visits", params(Paging),
    responses((status = 200, body = Reviews)))]
async fn reviews(State(app): State<App>, Query(paging): Query<Paging>) -> Result<Json<Reviews>> {
    let (at, page) = app.snapshot(move |conn, _| lists::reviews(conn, &paging)).await?;
    Ok(Json(Reviews { at, page }))
}

/// Takes a scan off the list. The second one to do so changes nothing.
#[utoipa::path(post, path = "/api/v1/scans/{id}/reviewed", tag = "visits",
    params(("id" = ScanReviewId, Path)), responses((status = 204), (status = 404)))]
async fn reviewed(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<ScanReviewId>,
    act: Act<()>,
) -> Result<StatusCode> {
    let done = app.write_once(act.once, who.actor(), "visits.reviewed", move |tx| {
        lists::mark_reviewed(tx, id)
    });
    done.await?;
    Ok(StatusCode::NO_CONTENT)
}
