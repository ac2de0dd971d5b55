//! Badges: handed out, blocked, taken back. A whole tag is never shown.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Act, Json, Path};
use super::signed_in::SignedIn;
use crate::app::App;
use crate::base::Result;
use crate::base::id::{BadgeId, PersonId};
use crate::domain::people::model::{Badge, BadgeState};
use crate::domain::people::{commands, queries, rules};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    let desk = Who::ADMIN | Who::OFFICE;
    OpenApiRouter::new()
        .routes(may(desk, routes!(hand_out)))
        .routes(may(desk, routes!(block)))
        .routes(may(Who::ADMIN, routes!(unblock)))
        .routes(may(Who::ADMIN, routes!(take_back)))
}

/// A badge; the end of its tag tells it apart by eye.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BadgeView {
    id: BadgeId,
    tag_suffix: String,
    state: BadgeState,
}

impl From<Badge> for BadgeView {
    fn from(badge: Badge) -> BadgeView {
        let tag_suffix = rules::tag_suffix(&badge.tag).to_owned();
        BadgeView { id: badge.id, tag_suffix, state: badge.state }
    }
}

/// The tag of a badge, in any way that readers write it.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBadge {
    tag: String,
}

/// Hands a badge out to a person.
#[utoipa::path(post, path = "/api/v1/people/{id}/badges", tag = "people",
    request_body = NewBadge, params(("id" = PersonId, Path)),
    responses((status = 201, body = BadgeView), (status = 404), (status = 422),
        (status = 409, description = "`badge.taken`")))]
async fn hand_out(
    State(app): State<App>,
    who: SignedIn,
    Path(person): Path<PersonId>,
    Act { body, once }: Act<NewBadge>,
) -> Result<(StatusCode, Json<BadgeView>)> {
    let badge = app
        .write_once(once, who.actor(), "people.hand_out_badge", move |tx| {
            let id = commands::hand_out_badge(tx, person, &body.tag)?;
            queries::badge(tx, id).map(BadgeView::from)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(badge)))
}

/// Blocks a lost badge: it opens nothing any more.
#[utoipa::path(post, path = "/api/v1/badges/{id}/block", tag = "people",
    params(("id" = BadgeId, Path)), responses((status = 200, body = BadgeView), (status = 404)))]
async fn block(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<BadgeId>,
    act: Act<()>,
) -> Result<Json<BadgeView>> {
    set_state(app, who, id, act, BadgeState::Blocked).await
}

/// Lets a badge that was found again open doors again.
#[utoipa::path(post, path = "/api/v1/badges/{id}/unblock", tag = "people",
    params(("id" = BadgeId, Path)), responses((status = 200, body = BadgeView), (status = 404)))]
async fn unblock(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<BadgeId>,
    act: Act<()>,
) -> Result<Json<BadgeView>> {
    set_state(app, who, id, act, BadgeState::Active).await
}

async fn set_state(
    app: App,
    who: SignedIn,
    id: BadgeId,
    act: Act<()>,
    state: BadgeState,
) -> Result<Json<BadgeView>> {
    app.write_once(act.once, who.actor(), "people.set_badge_state", move |tx| {
        commands::set_badge_state(tx, id, state)?;
        queries::badge(tx, id).map(BadgeView::from)
    })
    .await
    .map(Json)
}

/// Takes a badge back, so that it can be handed out to somebody else.
#[utoipa::path(delete, path = "/api/v1/badges/{id}", tag = "people",
    params(("id" = BadgeId, Path)), responses((status = 204), (status = 404)))]
async fn take_back(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<BadgeId>,
) -> Result<StatusCode> {
    app.write(who.actor(), "people.take_back_badge", move |tx| commands::take_back_badge(tx, id))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
