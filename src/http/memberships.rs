//! The groups of one member, as a change of them: two who change different ones disturb nobody.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Json, Path};
use super::people::GroupName;
use super::signed_in::SignedIn;
use crate::app::App;
use crate::base::Result;
use crate::base::id::{GroupId, PersonId};
use crate::domain::people;
use crate::domain::rooms::{commands, queries};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(may(Who::ADMIN, routes!(regroup)))
}

/// What is to change of a member's groups; the others stay.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Regrouping {
    /// The groups that the member comes into.
    #[serde(default)]
    added: Vec<GroupId>,
    /// The groups that the member leaves.
    #[serde(default)]
    removed: Vec<GroupId>,
}

/// The groups of a member.
#[derive(Serialize, utoipa::ToSchema)]
struct Memberships {
    groups: Vec<GroupName>,
}

/// Puts a member into groups and takes it out of others. A repeat changes nothing more.
#[utoipa::path(patch, path = "/api/v1/people/{id}/groups", tag = "rooms",
    params(("id" = PersonId, Path)), request_body = Regrouping,
    responses((status = 200, body = Memberships), (status = 404), (status = 422),
        (status = 409, description = "`group.full`")))]
async fn regroup(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<PersonId>,
    Json(body): Json<Regrouping>,
) -> Result<Json<Memberships>> {
    app.write(who.actor(), "rooms.regroup", move |tx| {
        commands::regroup(tx, id, &body.added, &body.removed)?;
        let groups = people::queries::groups_of(tx, id)?;
        let groups = groups.into_iter().map(|group| queries::group(tx, group).map(GroupName::from));
        Ok(Json(Memberships { groups: groups.collect::<Result<_>>()? }))
    })
    .await
}
