//! Rooms, groups and activities: their lists, and the lead's changes of them.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Act, Json, Path, Query};
use super::signed_in::SignedIn;
use crate::app::App;
use crate::base::Result;
use crate::base::id::{ActivityId, GroupId, PersonId, RoomId};
use crate::base::page::{Page, Paging};
use crate::domain::rooms::model::{NewActivity, NewGroup, NewRoom, RoomChange};
use crate::domain::rooms::{self, GroupKind, RoomKind, commands, queries};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::PEOPLE, routes!(list_rooms)))
        .routes(may(Who::ADMIN, routes!(create_room)))
        .routes(may(Who::ADMIN, routes!(change_room)))
        .routes(may(Who::TEAM, routes!(list_activities)))
        .routes(may(Who::ADMIN, routes!(create_activity)))
        .routes(may(Who::TEAM, routes!(list_groups)))
        .routes(may(Who::ADMIN, routes!(create_group)))
        .routes(may(Who::ADMIN, routes!(set_members)))
        .routes(may(Who::ADMIN, routes!(set_staff)))
}

/// A physical room.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
struct Room {
    id: RoomId,
    name: String,
    capacity: i64,
    kind: RoomKind,
}

impl From<rooms::Room> for Room {
    fn from(room: rooms::Room) -> Room {
        Room { id: room.id, name: room.name, capacity: room.capacity, kind: room.kind }
    }
}

/// A standing group of members.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub(super) struct Group {
    id: GroupId,
    name: String,
    kind: GroupKind,
}

impl From<rooms::Group> for Group {
    fn from(group: rooms::Group) -> Group {
        Group { id: group.id, name: group.name, kind: group.kind }
    }
}

/// What can be offered.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
struct Activity {
    id: ActivityId,
    name: String,
    /// Where it usually is.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_room_id: Option<RoomId>,
}

impl From<rooms::Activity> for Activity {
    fn from(activity: rooms::Activity) -> Activity {
        Activity { id: activity.id, name: activity.name, default_room_id: activity.default_room }
    }
}

/// Lists the rooms, by name.
#[utoipa::path(get, path = "/api/v1/rooms", tag = "rooms", params(Paging),
    responses((status = 200, body = Page<Room>)))]
async fn list_rooms(
    State(app): State<App>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Room>>> {
    app.read(move |conn| Page::part(queries::rooms(conn)?, &paging)).await.map(Json)
}

/// What is needed to make a room.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRoomBody {
    name: String,
    /// How many it takes.
    #[schema(minimum = 1, maximum = 5000)]
    capacity: i64,
    kind: Option<RoomKind>,
}

/// Makes a room.
#[utoipa::path(post, path = "/api/v1/rooms", tag = "rooms", request_body = NewRoomBody,
    responses((status = 201, body = Room), (status = 409, description = "`room.name_taken`"),
        (status = 422)))]
async fn create_room(
    State(app): State<App>,
    who: SignedIn,
    act: Act<NewRoomBody>,
) -> Result<(StatusCode, Json<Room>)> {
    let NewRoomBody { name, capacity, kind } = act.body;
    let new = NewRoom { name, capacity, kind: kind.unwrap_or(RoomKind::Room) };
    let room = app.write_once(act.once, who.actor(), "rooms.new_room", move |tx| {
        let id = commands::new_room(tx, &new)?;
        queries::room(tx, id).map(Room::from)
    });
    Ok((StatusCode::CREATED, Json(room.await?)))
}

/// What is to change of a room; a field that is missing stays as it is.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct RoomChangeBody {
    name: Option<String>,
    /// May be less than are in the room now: it says how many more are let in.
    #[schema(minimum = 1, maximum = 5000)]
    capacity: Option<i64>,
    kind: Option<RoomKind>,
}

/// Changes a room.
#[utoipa::path(patch, path = "/api/v1/rooms/{id}", tag = "rooms", params(("id" = RoomId, Path)),
    request_body = RoomChangeBody,
    responses((status = 200, body = Room), (status = 404),
        (status = 409, description = "`room.name_taken`"), (status = 422)))]
async fn change_room(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<RoomId>,
    Json(body): Json<RoomChangeBody>,
) -> Result<Json<Room>> {
    let RoomChangeBody { name, capacity, kind } = body;
    let change = RoomChange { name, kind, capacity };
    let room = app.write(who.actor(), "rooms.change_room", move |tx| {
        commands::change_room(tx, id, &change)?;
        queries::room(tx, id).map(Room::from)
    });
    room.await.map(Json)
}

/// Lists what can be offered, by name.
#[utoipa::path(get, path = "/api/v1/activities", tag = "rooms", params(Paging),
    responses((status = 200, body = Page<Activity>)))]
async fn list_activities(
    State(app): State<App>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Activity>>> {
    app.read(move |conn| Page::part(queries::activities(conn)?, &paging)).await.map(Json)
}

/// What is needed to make an activity.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewActivityBody {
    name: String,
    /// Where it usually is.
    default_room_id: Option<RoomId>,
}

/// Makes an activity.
#[utoipa::path(post, path = "/api/v1/activities", tag = "rooms", request_body = NewActivityBody,
    responses((status = 201, body = Activity),
        (status = 409, description = "`activity.name_taken`"), (status = 422)))]
async fn create_activity(
    State(app): State<App>,
    who: SignedIn,
    act: Act<NewActivityBody>,
) -> Result<(StatusCode, Json<Activity>)> {
    let NewActivityBody { name, default_room_id } = act.body;
    let new = NewActivity { name, default_room: default_room_id };
    let activity = app.write_once(act.once, who.actor(), "rooms.new_activity", move |tx| {
        let id = commands::new_activity(tx, &new)?;
        queries::activity(tx, id).map(Activity::from)
    });
    Ok((StatusCode::CREATED, Json(activity.await?)))
}

/// Lists the groups, by name.
#[utoipa::path(get, path = "/api/v1/groups", tag = "rooms", params(Paging),
    responses((status = 200, body = Page<Group>)))]
async fn list_groups(
    State(app): State<App>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Group>>> {
    app.read(move |conn| Page::part(queries::groups(conn)?, &paging)).await.map(Json)
}

/// What is needed to make a group.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewGroupBody {
    name: String,
    kind: GroupKind,
}

/// Makes a group without members.
#[utoipa::path(post, path = "/api/v1/groups", tag = "rooms", request_body = NewGroupBody,
    responses((status = 201, body = Group), (status = 409, description = "`group.name_taken`"),
        (status = 422)))]
async fn create_group(
    State(app): State<App>,
    who: SignedIn,
    act: Act<NewGroupBody>,
) -> Result<(StatusCode, Json<Group>)> {
    let NewGroupBody { name, kind } = act.body;
    let group = app.write_once(act.once, who.actor(), "rooms.new_group", move |tx| {
        let id = commands::new_group(tx, &NewGroup { name, kind })?;
        queries::group(tx, id).map(Group::from)
    });
    Ok((StatusCode::CREATED, Json(group.await?)))
}

/// The members that a group is to have.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct MembersBody {
    #[schema(max_items = 500)]
    member_ids: Vec<PersonId>,
}

/// Makes exactly these the members of a group.
#[utoipa::path(put, path = "/api/v1/groups/{id}/members", tag = "rooms",
    params(("id" = GroupId, Path)), request_body = MembersBody,
    responses((status = 204), (status = 404), (status = 422)))]
async fn set_members(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<GroupId>,
    Json(body): Json<MembersBody>,
) -> Result<StatusCode> {
    app.write(who.actor(), "rooms.set_group_members", move |tx| {
        commands::set_group_members(tx, id, &body.member_ids)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Those who are to be responsible for a group.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct StaffBody {
    #[schema(max_items = 20)]
    staff_ids: Vec<PersonId>,
}

/// Makes exactly these responsible for a group for good; substitutes stay.
#[utoipa::path(put, path = "/api/v1/groups/{id}/staff", tag = "rooms",
    params(("id" = GroupId, Path)), request_body = StaffBody,
    responses((status = 204), (status = 404), (status = 422)))]
async fn set_staff(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<GroupId>,
    Json(body): Json<StaffBody>,
) -> Result<StatusCode> {
    app.write(who.actor(), "rooms.set_group_staff", move |tx| {
        commands::set_group_staff(tx, id, &body.staff_ids)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
