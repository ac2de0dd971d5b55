//! Badge readers over HTTP, for those who look after them.
//!
//! Codes are shown once and kept as hashes. So a repeat of the request that
//! makes one makes another: no `Idempotency-Key` is honoured there.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Act, Json, Path, Query, present};
use super::signed_in::SignedIn;
use crate::app::{App, AsOf};
use crate::base::id::{CommandId, DeviceId, RoomId};
use crate::base::page::{Page, Paging};
use crate::base::{Result, TimeOfDay, Timestamp};
use crate::domain::devices::model::{Change, NewCode};
use crate::domain::devices::{self, Command, CommandKind, Device, Mode, ShowName, TagOrder};
use crate::domain::house::Language;
use crate::domain::people::Role;
use crate::domain::rooms::{self, scope};

/// Returns the routes of readers, without those that readers call themselves.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::ADMIN | Who::STAFF, routes!(list)))
        .routes(may(Who::ADMIN, routes!(show)))
        .routes(may(Who::ADMIN, routes!(update)))
        .routes(may(Who::ADMIN, routes!(issue_code)))
        .routes(may(Who::ADMIN, routes!(revoke)))
        .routes(may(Who::ADMIN, routes!(roll_key)))
        .routes(may(Who::ADMIN, routes!(order)))
}

/// All readers as they are now.
#[derive(Serialize, utoipa::ToSchema)]
struct DeviceList {
    #[serde(flatten)]
    as_of: AsOf,
    #[serde(flatten)]
    page: Page<DeviceItem>,
}

/// A reader: all of it for the lead, and how it is for staff in whose room it stands.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
enum DeviceItem {
    Whole(Box<Device>),
    Near(DeviceState),
}

/// How a reader is, for whoever works beside it. What it is, what it is told and the prefix of its
/// key are for the lead.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct DeviceState {
    id: DeviceId,
    name: String,
    room_id: Option<RoomId>,
    room_name: Option<String>,
    #[schema(inline)]
    state: devices::State,
    last_seen_at: Option<Timestamp>,
}

impl From<Device> for DeviceState {
    fn from(device: Device) -> DeviceState {
        let Device { id, name, room_id, room_name, state, last_seen_at, .. } = device;
        DeviceState { id, name, room_id, room_name, state, last_seen_at }
    }
}

/// All readers; for staff how those are that stand in the rooms that they supervise now.
#[utoipa::path(get, path = "/api/v1/devices", tag = "devices", params(Paging),
    responses((status = 200, body = DeviceList)))]
async fn list(
    State(app): State<App>,
    who: SignedIn,
    Query(paging): Query<Paging>,
) -> Result<Json<DeviceList>> {
    let (as_of, page) = app
        .snapshot(move |conn, now| {
            let items = devices::queries::list(conn)?;
            if who.role == Role::Admin {
                let whole = items.into_iter().map(|device| DeviceItem::Whole(Box::new(device)));
                return Page::part(whole.collect::<Vec<_>>(), &paging);
            }
            let scope = scope::of(conn, who.person, who.role, now)?;
            let mut own = Vec::new();
            for run in &scope.runs {
                own.push(rooms::queries::run(conn, *run)?.room);
            }
            let beside = |device: &Device| device.room_id.is_some_and(|room| own.contains(&room));
            let near = items.into_iter().filter(beside);
            let near = near.map(|device| DeviceItem::Near(device.into()));
            Page::part(near.collect::<Vec<_>>(), &paging)
        })
        .await?;
    Ok(Json(DeviceList { as_of, page }))
}

/// One reader.
#[utoipa::path(get, path = "/api/v1/devices/{id}", tag = "devices",
    params(("id" = DeviceId, Path)), responses((status = 200, body = Device), (status = 404)))]
async fn show(State(app): State<App>, Path(id): Path<DeviceId>) -> Result<Json<Device>> {
    app.read(move |conn| devices::queries::device(conn, id)).await.map(Json)
}

/// What is to be changed; a field that is missing stays as it is, `null` empties it.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct DeviceChange {
    name: Option<String>,
    mode: Option<Mode>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<RoomId>)]
    room_id: Option<Option<RoomId>>,
    lang: Option<Language>,
    tones: Option<bool>,
    show_name: Option<ShowName>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<TimeOfDay>)]
    daily_checkout_from: Option<Option<TimeOfDay>>,
    #[schema(minimum = 100, maximum = 100_000)]
    buffer_max: Option<i64>,
    /// `learn` has the order of the bytes of a tag learned anew.
    tag_order: Option<TagOrder>,
}

/// Changes what a reader is to be. It learns of it with its next heartbeat.
#[utoipa::path(patch, path = "/api/v1/devices/{id}", tag = "devices",
    params(("id" = DeviceId, Path)), request_body = DeviceChange,
    responses((status = 200, body = Device), (status = 404),
        (status = 409, description = "`device.revoked`"), (status = 422)))]
async fn update(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<DeviceId>,
    Json(body): Json<DeviceChange>,
) -> Result<Json<Device>> {
    let change = Change {
        name: body.name,
        mode: body.mode,
        room: body.room_id,
        language: body.lang,
        tones: body.tones,
        show_name: body.show_name,
        daily_checkout_from: body.daily_checkout_from,
        buffer_max: body.buffer_max,
        tag_order: body.tag_order,
    };
    let by = who.actor();
    let changed =
        app.write(by, "devices.change", move |tx| devices::commands::change(tx, id, &change));
    changed.await.map(Json)
}

/// The reader to be.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDevice {
    name: String,
    mode: Mode,
    /// Needed for a reader of a room.
    room_id: Option<RoomId>,
}

/// A code that lets one reader in.
#[derive(Serialize, utoipa::ToSchema)]
struct EnrolmentCode {
    code: String,
    expires_at: Timestamp,
}

/// Makes a code that lets one reader in, once, within a quarter of an hour.
#[utoipa::path(post, path = "/api/v1/devices/enrolment-codes", tag = "devices",
    request_body = NewDevice, responses((status = 201, body = EnrolmentCode), (status = 422)))]
async fn issue_code(
    State(app): State<App>,
    who: SignedIn,
    Json(body): Json<NewDevice>,
) -> Result<(StatusCode, Json<EnrolmentCode>)> {
    let new = NewCode { name: body.name, mode: body.mode, room: body.room_id };
    let code = app
        .write(who.actor(), "devices.issue_code", move |tx| devices::commands::issue_code(tx, &new))
        .await?;
    let answer = EnrolmentCode { code: code.text, expires_at: code.expires_at };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Ends a reader's key, for good and at once.
#[utoipa::path(post, path = "/api/v1/devices/{id}/revoke", tag = "devices",
    params(("id" = DeviceId, Path)), responses((status = 204), (status = 404)))]
async fn revoke(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<DeviceId>,
    act: Act<()>,
) -> Result<StatusCode> {
    app.write_once(act.once, who.actor(), "devices.revoke", move |tx| {
        devices::commands::revoke(tx, id)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An order that waits for the reader's next heartbeat.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
struct Order {
    id: CommandId,
    kind: CommandKind,
}

/// Has a reader change its key. Both keys are good until the new one is used.
#[utoipa::path(post, path = "/api/v1/devices/{id}/roll-key", tag = "devices",
    params(("id" = DeviceId, Path)),
    responses((status = 202, body = Order), (status = 404),
        (status = 409, description = "`device.revoked`")))]
async fn roll_key(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<DeviceId>,
    act: Act<()>,
) -> Result<(StatusCode, Json<Order>)> {
    let Act { once, .. } = act;
    give_order(app, who, id, Act { body: NewOrder { kind: CommandKind::RollKey }, once }).await
}

/// What a reader is to do.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOrder {
    kind: CommandKind,
}

/// Orders a reader to do something, with its next heartbeat.
#[utoipa::path(post, path = "/api/v1/devices/{id}/commands", tag = "devices",
    params(("id" = DeviceId, Path)), request_body = NewOrder,
    responses((status = 202, body = Order), (status = 404),
        (status = 409, description = "`device.revoked`")))]
async fn order(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<DeviceId>,
    act: Act<NewOrder>,
) -> Result<(StatusCode, Json<Order>)> {
    give_order(app, who, id, act).await
}

async fn give_order(
    app: App,
    who: SignedIn,
    id: DeviceId,
    act: Act<NewOrder>,
) -> Result<(StatusCode, Json<Order>)> {
    let kind = act.body.kind;
    let order = app
        .write_once(act.once, who.actor(), "devices.order", move |tx| {
            let Command { id, kind, .. } = devices::commands::order(tx, id, kind)?;
            Ok(Order { id, kind })
        })
        .await?;
    Ok((StatusCode::ACCEPTED, Json(order)))
}
