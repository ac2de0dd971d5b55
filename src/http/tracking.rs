//! Tracked actions over HTTP.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Act, Json, Query};
use super::signed_in::SignedIn;
use super::squeeze::squeezed;
use crate::app::{App, AsOf};
use crate::base::id::PersonId;
use crate::base::page::{Page, Paging};
use crate::base::{Error, Result, Timestamp};
use crate::domain::rooms::scope;
use crate::domain::tracking::queries::Wanted;
use crate::domain::tracking::{self, Tracked, Tracking};
use crate::live::Once;

/// Returns the routes of tracked actions.
pub fn routes() -> OpenApiRouter<App> {
    let readers = Who::ADMIN | Who::STAFF | Who::MEMBER;
    OpenApiRouter::new()
        .routes(may(Who::PEOPLE, routes!(track)))
        .routes(may(readers, squeezed(routes!(feed))))
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ActivityBatch)]
struct Batch {
    #[schema(min_items = 1, max_items = 200)]
    events: Vec<Action>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Action {
    pub(super) event_type: String,
    pub(super) book_id: Option<String>,
    pub(super) content: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub(super) context: Option<Map<String, Value>>,
    /// When it was, by the client's clock, now if it is left out: at most 72 hours ago, and no more
    /// than 120 s ahead, which counts as now.
    pub(super) at: Option<Timestamp>,
    /// The client's own id: telling it again does no harm.
    pub(super) id: Option<String>,
    /// The session's own person; another's is refused.
    pub(super) user_id: Option<PersonId>,
}

#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(super) struct Accepted {
    /// How many of the batch are kept now, those told before included.
    accepted: usize,
}

/// A page of the feed.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ActivityFeed)]
struct Feed {
    #[serde(flatten)]
    as_of: AsOf,
    #[serde(flatten)]
    page: Page<Tracked>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    person_id: Option<PersonId>,
    /// The type of action.
    #[serde(rename = "type")]
    event_type: Option<String>,
    since: Option<Timestamp>,
    /// How many items at the most (1 to 500, default 50).
    limit: Option<u32>,
    /// Where the page before ended, as its `next_cursor` said.
    cursor: Option<String>,
}

/// Tell what the caller did.
#[utoipa::path(post, path = "/api/v1/activity", tag = "tracking", request_body = Batch,
    responses((status = 202, body = Accepted),
        (status = 403, description = "`activity.other_person`"),
        (status = 422, description = "`field` names the action; none is kept")))]
async fn track(
    State(app): State<App>,
    who: SignedIn,
    act: Act<Batch>,
) -> Result<(StatusCode, Json<Accepted>)> {
    let batch = act.body.events.iter().enumerate().map(|(index, action)| {
        checked(&who, action).map_err(|error| match error {
            Error::Invalid { field, problem } => {
                Error::invalid(format!("events[{index}].{field}"), problem)
            }
            other => other,
        })
    });
    let batch = batch.collect::<Result<Vec<_>>>()?;
    keep(app, who, act.once, batch).await
}

/// Keeps what the caller did.
pub(super) async fn keep(
    app: App,
    who: SignedIn,
    once: Option<Once>,
    batch: Vec<Tracking>,
) -> Result<(StatusCode, Json<Accepted>)> {
    let accepted = app
        .write_once(once, who.actor(), "tracking.track", move |tx| {
            tracking::commands::track(tx, who.person, &batch)?;
            Ok(Accepted { accepted: batch.len() })
        })
        .await?;
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}

/// The activity feed, newest first, in scope.
#[utoipa::path(get, path = "/api/v1/activity", tag = "tracking", params(Which),
    responses((status = 200, body = Feed), (status = 422)))]
async fn feed(
    State(app): State<App>,
    who: SignedIn,
    Query(which): Query<Which>,
) -> Result<Json<Feed>> {
    let paging = Paging { limit: which.limit, cursor: which.cursor };
    let wanted =
        Wanted { person: which.person_id, event_type: which.event_type, since: which.since };
    let (as_of, page) = app
        .snapshot(move |conn, now| {
            let scope = scope::of(conn, who.person, who.role, now)?;
            tracking::queries::feed(conn, &scope, &wanted, &paging)
        })
        .await?;
    Ok(Json(Feed { as_of, page }))
}

/// Reads an action, which must be the caller's own.
pub(super) fn checked(who: &SignedIn, action: &Action) -> Result<Tracking> {
    if action.user_id.is_some_and(|person| person != who.person) {
        return Err(Error::Forbidden("activity.other_person"));
    }
    Tracking::new(&action.event_type)?
        .in_book(action.book_id.as_deref())?
        .saying(action.content.as_deref(), action.context.as_ref())?
        .told(action.at, action.id.as_deref())
}
