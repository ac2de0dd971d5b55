//! Help over HTTP: the queue for staff, the own request for a member.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Act, Json, Path, Query};
use super::signed_in::SignedIn;
use crate::app::{App, AsOf};
use crate::base::id::{HelpRequestId, RoomId};
use crate::base::page::{Page, Paging};
use crate::base::{Error, Result, text};
use crate::domain::help::queries::Filter;
use crate::domain::help::{self, Ask, Edit, Figures, Help, Place, Priority, Status};
use crate::domain::house;
use crate::domain::house::queries::{local_time, local_time_known};
use crate::domain::rooms::scope::{self, Scope};
use crate::live::{Once, Tx};

/// Returns the routes of help requests.
pub fn routes() -> OpenApiRouter<App> {
    let helpers = Who::ADMIN | Who::STAFF;
    OpenApiRouter::new()
        .routes(may(helpers, routes!(list)))
        .routes(may(Who::ADMIN | Who::DISPLAY, routes!(places)))
        .routes(may(Who::MEMBER, routes!(ask)))
        .routes(may(Who::MEMBER, routes!(mine)))
        .routes(may(helpers | Who::MEMBER, routes!(show)))
        .routes(may(Who::MEMBER, routes!(edit)))
        .routes(may(helpers, routes!(claim)))
        .routes(may(helpers, routes!(release)))
        .routes(may(helpers, routes!(hold)))
        .routes(may(helpers, routes!(resolve)))
        .routes(may(helpers, routes!(reopen)))
        .routes(may(Who::MEMBER, routes!(cancel)))
}

/// The queue.
#[derive(Serialize, utoipa::ToSchema)]
struct Queue {
    #[serde(flatten)]
    as_of: AsOf,
    #[serde(flatten)]
    page: Page<Help>,
    /// How many wait for somebody, of those that the caller sees.
    waiting: usize,
    resolved_today: i64,
    /// Half of those helped today waited no longer than this; `null` when nobody was helped.
    median_wait_s: Option<i64>,
}

/// The queue as a wall shows it.
#[derive(Serialize, utoipa::ToSchema)]
struct Places {
    #[serde(flatten)]
    as_of: AsOf,
    #[serde(flatten)]
    page: Page<Place>,
}

/// A member's own place.
#[derive(Serialize, utoipa::ToSchema)]
struct MyPlace {
    #[serde(flatten)]
    as_of: AsOf,
    request: Option<Help>,
    queue: Figures,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// `open` (default), or one of the states, of today.
    status: Option<String>,
    /// How many items at the most (1 to 500, default 50).
    limit: Option<u32>,
    /// Where the page before ended, as its `next_cursor` said; the answer's `cursor` is for streams.
    cursor: Option<String>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AskBody {
    content: String,
    priority: Option<Priority>,
    book_id: Option<String>,
    section_id: Option<String>,
    room_id: Option<RoomId>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct EditBody {
    content: Option<String>,
    priority: Option<Priority>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ResolveBody {
    /// What was said, for the member to read again.
    response: Option<String>,
}

/// The queue: pending first, urgent first, then the oldest; in scope.
#[utoipa::path(get, path = "/api/v1/help-requests", tag = "help", params(Which),
    responses((status = 200, body = Queue), (status = 422)))]
async fn list(
    State(app): State<App>,
    who: SignedIn,
    Query(which): Query<Which>,
) -> Result<Json<Queue>> {
    let status = match which.status.as_deref() {
        None | Some("open") => None,
        Some(word) => Some(word.parse::<Status>().map_err(|why| Error::invalid("status", why))?),
    };
    let paging = Paging { limit: which.limit, cursor: which.cursor };
    let read = app
        .snapshot(move |conn, now| {
            let day = house::queries::house(conn)?.day(now);
            let filter = status.map_or(Filter::Open, |status| Filter::OfDay(day, status));
            let scope = scope::of(conn, who.person, who.role, now)?;
            let waiting = help::queries::waiting(conn, &scope)?;
            let items = help::queries::list(conn, &scope, filter)?;
            let local = local_time(conn)?;
            let items: Vec<_> = items.into_iter().map(|help| help.as_of(now, &local)).collect();
            let page: Page<Help> = Page::part(items, &paging)?;
            let resolved = help::queries::resolved_on(conn, day)?;
            Ok((page, waiting, resolved, help::queries::figures(conn, day, now)?))
        })
        .await?;
    let (as_of, (page, waiting, resolved_today, Figures { median_wait_s, .. })) = read;
    Ok(Json(Queue { as_of, page, waiting, resolved_today, median_wait_s }))
}

/// The queue for a wall: places and initials of those who wait. `queue.changed` says when it has
/// changed.
#[utoipa::path(get, path = "/api/v1/help-requests/places", tag = "help", params(Paging),
    responses((status = 200, body = Places), (status = 422)))]
async fn places(State(app): State<App>, Query(paging): Query<Paging>) -> Result<Json<Places>> {
    let (as_of, places) = app.snapshot(help::queries::places).await?;
    Ok(Json(Places { as_of, page: Page::part(places, &paging)? }))
}

/// What the caller asked last, today: open, or over with its answer; and the figures of the queue.
#[utoipa::path(get, path = "/api/v1/help-requests/mine", tag = "help",
    responses((status = 200, body = MyPlace)))]
async fn mine(State(app): State<App>, who: SignedIn) -> Result<Json<MyPlace>> {
    let (as_of, (request, queue)) = app
        .snapshot(move |conn, now| {
            let day = house::queries::house(conn)?.day(now);
            let request = help::queries::last_of(conn, who.person, day)?;
            let local = local_time(conn)?;
            let request = request.map(|help| help.as_of(now, &local));
            Ok((request, help::queries::figures(conn, day, now)?))
        })
        .await?;
    Ok(Json(MyPlace { as_of, request, queue }))
}

/// One request.
#[utoipa::path(get, path = "/api/v1/help-requests/{id}", tag = "help",
    params(("id" = HelpRequestId, Path)),
    responses((status = 200, body = Help), (status = 404)))]
async fn show(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<HelpRequestId>,
) -> Result<Json<Help>> {
    let (_, help) = app
        .snapshot(move |conn, now| {
            let scope = scope::of(conn, who.person, who.role, now)?;
            let help = help::queries::request_in_scope(conn, &scope, id)?;
            Ok(help.as_of(now, &local_time(conn)?))
        })
        .await?;
    Ok(Json(help))
}

/// Ask for help. One request is open per member at the most.
#[utoipa::path(post, path = "/api/v1/help-requests", tag = "help", request_body = AskBody,
    responses((status = 201, body = Help),
        (status = 404, description = "there is no such room"),
        (status = 409, description = "`help.already_open`"), (status = 422)))]
async fn ask(
    State(app): State<App>,
    who: SignedIn,
    act: Act<AskBody>,
) -> Result<(StatusCode, Json<Help>)> {
    let body = act.body;
    let id_text = |field, id: Option<String>| id.map(|id| text::line(field, &id, 64)).transpose();
    let mut asked = Ask::new(&body.content, body.priority)?;
    asked.book_id = id_text("book_id", body.book_id)?;
    asked.section_id = id_text("section_id", body.section_id)?;
    asked.room_id = body.room_id;
    let help = app
        .write_once(act.once, who.actor(), "help.ask", move |tx| {
            Ok(help::commands::ask(tx, who.person, &asked)?.as_of(tx.now, &local_time_known(tx)?))
        })
        .await?;
    Ok((StatusCode::CREATED, Json(help)))
}

/// Change one's own open request.
#[utoipa::path(patch, path = "/api/v1/help-requests/{id}", tag = "help", request_body = EditBody,
    params(("id" = HelpRequestId, Path)),
    responses((status = 200, body = Help), (status = 404, description = "not one of the caller's"),
        (status = 409, description = "`help.closed`"), (status = 422)))]
async fn edit(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<HelpRequestId>,
    Json(body): Json<EditBody>,
) -> Result<Json<Help>> {
    let change = Edit { content: body.content, priority: body.priority };
    let help = app
        .write(who.actor(), "help.edit", move |tx| {
            Ok(help::commands::edit(tx, who.person, id, &change)?
                .as_of(tx.now, &local_time_known(tx)?))
        })
        .await?;
    Ok(Json(help))
}

/// Take one's own open request back.
#[utoipa::path(post, path = "/api/v1/help-requests/{id}/cancel", tag = "help",
    params(("id" = HelpRequestId, Path)),
    responses((status = 200, body = Help), (status = 404, description = "not one of the caller's"),
        (status = 409, description = "`help.closed`")))]
async fn cancel(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<HelpRequestId>,
    act: Act<()>,
) -> Result<Json<Help>> {
    let help = app
        .write_once(act.once, who.actor(), "help.cancel", move |tx| {
            Ok(help::commands::cancel(tx, who.person, id)?.as_of(tx.now, &local_time_known(tx)?))
        })
        .await?;
    Ok(Json(help))
}

/// Take a request in hand.
#[utoipa::path(post, path = "/api/v1/help-requests/{id}/claim", tag = "help",
    params(("id" = HelpRequestId, Path)),
    responses((status = 200, body = Help), (status = 404),
        (status = 409, description = "`help.already_claimed`, `details` says by whom; `help.closed`")))]
async fn claim(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<HelpRequestId>,
    act: Act<()>,
) -> Result<Json<Help>> {
    in_scope(&app, who, act.once, "help.claim", move |tx, scope| {
        help::commands::claim(tx, scope, id)
    })
    .await
}

/// Put a request back into the queue.
#[utoipa::path(post, path = "/api/v1/help-requests/{id}/release", tag = "help",
    params(("id" = HelpRequestId, Path)),
    responses((status = 200, body = Help), (status = 404),
        (status = 409, description = "`help.not_claimed`, `help.already_claimed`, `help.closed`")))]
async fn release(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<HelpRequestId>,
    act: Act<()>,
) -> Result<Json<Help>> {
    in_scope(&app, who, act.once, "help.release", move |tx, scope| {
        help::commands::release(tx, scope, id)
    })
    .await
}

/// Lay a request aside for a while.
#[utoipa::path(post, path = "/api/v1/help-requests/{id}/hold", tag = "help",
    params(("id" = HelpRequestId, Path)),
    responses((status = 200, body = Help), (status = 404),
        (status = 409, description = "`help.not_claimed`, `help.already_claimed`, `help.closed`")))]
async fn hold(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<HelpRequestId>,
    act: Act<()>,
) -> Result<Json<Help>> {
    in_scope(&app, who, act.once, "help.hold", move |tx, scope| help::commands::hold(tx, scope, id))
        .await
}

/// The member has been helped.
#[utoipa::path(post, path = "/api/v1/help-requests/{id}/resolve", tag = "help",
    request_body = ResolveBody,
    params(("id" = HelpRequestId, Path)),
    responses((status = 200, body = Help), (status = 404),
        (status = 409, description = "`help.already_claimed`, `help.closed`"), (status = 422)))]
async fn resolve(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<HelpRequestId>,
    act: Act<ResolveBody>,
) -> Result<Json<Help>> {
    let response = act.body.response;
    in_scope(&app, who, act.once, "help.resolve", move |tx, scope| {
        help::commands::resolve(tx, scope, id, response.as_deref())
    })
    .await
}

/// Take back that the member has been helped, within five minutes.
#[utoipa::path(post, path = "/api/v1/help-requests/{id}/reopen", tag = "help",
    params(("id" = HelpRequestId, Path)),
    responses((status = 200, body = Help), (status = 404),
        (status = 409, description = "`help.undo_too_late`, `help.asked_again`, `help.not_done`, \
            `help.already_claimed`, `help.closed`")))]
async fn reopen(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<HelpRequestId>,
    act: Act<()>,
) -> Result<Json<Help>> {
    in_scope(&app, who, act.once, "help.reopen", move |tx, scope| {
        help::commands::reopen(tx, scope, id)
    })
    .await
}

/// Runs a command of the staff, with the scope as it is in that very transaction.
async fn in_scope(
    app: &App,
    who: SignedIn,
    once: Option<Once>,
    name: &'static str,
    command: impl FnOnce(&mut Tx<'_>, &Scope) -> Result<Help> + Send + 'static,
) -> Result<Json<Help>> {
    let help = app
        .write_once(once, who.actor(), name, move |tx| {
            let scope = scope::of(tx, who.person, who.role, tx.now)?;
            Ok(command(tx, &scope)?.as_of(tx.now, &local_time_known(tx)?))
        })
        .await?;
    Ok(Json(help))
}
