//! What a kiosk shows before anybody comes, and what staff do at it that a badge alone must not do:
//! start, end and take over runs. A badge or a user name says who it is, a PIN that it is them.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Act, Json};
use super::held::Held;
use super::listen::Peer;
use super::readers::Paced;
use super::sign_in::Attempts;
use super::signed_in::{Reader, SignedIn};
use crate::app::App;
use crate::base::id::{ActivityId, DeviceId, PersonId, RoomId, RunId};
use crate::base::{Actor, Error, Result, Timestamp, secret};
use crate::domain::house;
use crate::domain::people::model::{BadgeState, PersonState};
use crate::domain::people::{self, Role, audit, pins};
use crate::domain::rooms::scope::{self, Scope};
use crate::domain::rooms::{self, NewRun};
use crate::domain::visits;
use crate::live::{Once, Tx};
use crate::words;

/// Returns the routes of kiosks and of the PINs for them.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::DEVICE, routes!(place)))
        .routes(may(Who::DEVICE, routes!(privileged)))
        .routes(may(Who::TEAM, routes!(set_pin)))
}

/// Where a reader hangs, for its screen: no persons.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DevicePlace)]
struct Place {
    server_time: Timestamp,
    house: String,
    /// IANA name of the time zone.
    zone: String,
    /// The reader's own room, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<RoomNow>,
    /// What staff can start there, by name.
    activities: Vec<Choice>,
}

/// A room as its kiosk shows it.
#[derive(Serialize, utoipa::ToSchema)]
struct RoomNow {
    id: RoomId,
    name: String,
    count: i64,
    capacity: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<RunNow>,
}

/// What takes place in a room now.
#[derive(Serialize, utoipa::ToSchema)]
struct RunNow {
    id: RunId,
    activity_name: String,
    started_at: Timestamp,
}

/// What can be offered.
#[derive(Serialize, utoipa::ToSchema)]
struct Choice {
    id: ActivityId,
    name: String,
}

/// Tells a reader with a screen where it hangs, how full its room is and what takes place there.
#[utoipa::path(get, path = "/api/v1/device/place", tag = "readers",
    responses((status = 200, body = Place), (status = 401), (status = 429)))]
async fn place(State(app): State<App>, Paced(reader): Paced) -> Result<Json<Place>> {
    let (room, now) = (reader.0.scanner.room, app.clock.now());
    let place = app.read(move |conn| {
        let house = house::queries::house(conn)?;
        let room = room.map(|room| room_now(conn, room)).transpose()?;
        let activities = match room {
            Some(_) => rooms::queries::activities(conn)?,
            None => Vec::new(),
        };
        let choice = |activity: rooms::Activity| Choice { id: activity.id, name: activity.name };
        let activities = activities.into_iter().map(choice).collect();
        Ok(Place { server_time: now, house: house.name, zone: house.zone, room, activities })
    });
    place.await.map(Json)
}

fn room_now(conn: &Connection, id: RoomId) -> Result<RoomNow> {
    let room = rooms::queries::room(conn, id)?;
    let run = rooms::queries::open_run_in(conn, id)?.map(|run| RunNow {
        id: run.id,
        activity_name: run.activity_name,
        started_at: run.started_at,
    });
    let count = visits::queries::occupancy(conn, id)?;
    Ok(RoomNow { id, name: room.name, count, capacity: room.capacity, run })
}

words! {
    /// What is to be done at a kiosk.
    Action { StartRun = "start_run", EndRun = "end_run", TakeOver = "take_over" }
}

/// Who wants what.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Privileged {
    /// The number of the badge, hex in any writing.
    tag: Option<String>,
    /// Who it is where no badge is at hand. One of the two is needed.
    username: Option<String>,
    pin: String,
    action: Action,
    /// What is to be started.
    activity_id: Option<ActivityId>,
    /// Where; the room of the kiosk when it is missing.
    room_id: Option<RoomId>,
    /// Which run is to be ended or taken over; the open one in the room when it is missing.
    run_id: Option<RunId>,
}

/// What was done.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
struct Done {
    server_time: Timestamp,
    action: Action,
    run_id: RunId,
    activity_name: String,
    room_id: RoomId,
    room_name: String,
    started_at: Timestamp,
    /// How many visits ended with the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_visits: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undo_until: Option<Timestamp>,
}

/// Starts, ends or takes over a run, for staff with a PIN beside their badge or user name.
#[utoipa::path(post, path = "/api/v1/device/privileged", tag = "readers",
    request_body = Privileged,
    responses((status = 200, body = Done),
        (status = 403, description = "`pin.wrong`, `run.not_own`, `access.role`"), (status = 404),
        (status = 409), (status = 422), (status = 429, description = "`pin.locked`")))]
async fn privileged(
    State(app): State<App>,
    Paced(reader): Paced,
    Act { body, once }: Act<Privileged>,
) -> Result<Json<Done>> {
    let once = once.map(|once| without_pin(once, &body)).transpose()?;
    let (device, own_room) = (reader.device(), reader.0.scanner.room);
    let holder = holder(&app, reader, &body).await?;
    let (person, role) = prove(&app, holder, body.pin.clone()).await?;
    let done = app
        .write_once(once, Actor::Person(person), "devices.privileged", move |tx| {
            let room = body.room_id.or(own_room);
            let scope = scope::of(tx, person, role, tx.now)?;
            act(tx, &scope, &body, room, device)
        })
        .await?;
    Ok(Json(done))
}

/// Seals a key over the order without its PIN: a few digits can be found again from their hash.
/// A repeat proves the PIN anew.
fn without_pin(once: Once, body: &Privileged) -> Result<Once> {
    let who = (&body.tag, &body.username);
    let order = (who, body.action, body.activity_id, body.room_id, body.run_id);
    let order = serde_json::to_vec(&order).map_err(anyhow::Error::from)?;
    Ok(Once { request_hash: secret::hash(order), ..once })
}

/// Who is meant, if somebody who works here is.
async fn holder(app: &App, reader: Reader, body: &Privileged) -> Result<Option<(PersonId, Role)>> {
    let (device, mut order) = (reader.device(), reader.0.tag_order);
    match (&body.tag, &body.username) {
        (Some(tag), None) => {
            let tag = people::rules::tag(tag)?;
            let find = move |tx: &mut Tx<'_>| {
                let tag = crate::domain::devices::commands::tag(tx, device, &mut order, tag)?;
                staff_by_tag(tx, &tag)
            };
            app.write(reader.actor(), "devices.holder", find).await
        }
        (None, Some(name)) => {
            let name = name.clone();
            app.read(move |conn| staff_by_name(conn, &name)).await
        }
        _ => Err(Error::invalid("tag", "is needed, or username; not both")),
    }
}

/// Who works here and signs in under the name.
fn staff_by_name(conn: &Connection, name: &str) -> Result<Option<(PersonId, Role)>> {
    let Some(login) = people::queries::login(conn, name)? else { return Ok(None) };
    let role = people::queries::find(conn, login.person)?.role;
    Ok((login.enabled && role.works_here()).then_some((login.person, role)))
}

/// Who works here and holds the badge, if it opens anything.
fn staff_by_tag(tx: &Tx<'_>, tag: &str) -> Result<Option<(PersonId, Role)>> {
    let Some(badge) = people::queries::badge_by_tag(tx, tag)? else { return Ok(None) };
    let person = people::queries::find(tx, badge.person)?;
    let active = badge.state == BadgeState::Active && person.state == PersonState::Active;
    Ok((active && person.role.works_here()).then_some((person.id, person.role)))
}

/// Judges the PIN. No badge or name, a member's, no PIN and a wrong one are one
/// answer after the same work: of the disk, too, which may take longer than the hash. Only the
/// lock after five wrong ones tells that there is one to guess.
async fn prove(
    app: &App,
    holder: Option<(PersonId, Role)>,
    pin: String,
) -> Result<(PersonId, Role)> {
    let hash = match holder {
        Some((person, _)) => {
            let by = Actor::Person(person);
            app.write(by, "people.pin_attempt", move |tx| pins::attempt(tx, person)).await?
        }
        None => app.prove_writable().await.map(|()| None)?,
    };
    let short = pin.len() <= people::rules::PASSWORD_BYTES_MAX;
    let right = match short {
        true => app.hasher.verify(pin, hash).await.map(|verdict| verdict.ok),
        false => Ok(false),
    };
    let Some((person, role)) = holder else {
        app.prove_writable().await?;
        return Err(right.err().unwrap_or(Error::Forbidden("pin.wrong")));
    };
    let ok = right.as_ref().ok().copied();
    let settle = move |tx: &mut Tx<'_>| match ok {
        Some(true) => pins::was_right(tx, person),
        Some(false) => pins::was_wrong(tx, person),
        None => pins::not_judged(tx, person),
    };
    app.write(Actor::Person(person), "people.pin_judged", settle).await?;
    if right? { Ok((person, role)) } else { Err(Error::Forbidden("pin.wrong")) }
}

fn act(
    tx: &mut Tx<'_>,
    scope: &Scope,
    body: &Privileged,
    room: Option<RoomId>,
    device: DeviceId,
) -> Result<Done> {
    // Who cannot be in charge of a run on a page cannot be at a kiosk.
    if scope.role == Role::Office {
        return Err(Error::Forbidden("access.role"));
    }
    let (mut ended_visits, mut undo_until) = (None, None);
    let run = match body.action {
        Action::StartRun => {
            let needed = |field| Error::invalid(field, "is needed to start a run");
            let activity = body.activity_id.ok_or_else(|| needed("activity_id"))?;
            let room = room.ok_or_else(|| needed("room_id"))?;
            let staff = vec![scope.person];
            rooms::commands::start_run(tx, &NewRun { activity, room, staff })?
        }
        Action::EndRun => {
            let run = meant(tx, body, room)?;
            if scope.role != Role::Admin && !scope.supervises(run) {
                return Err(Error::Forbidden("run.not_own"));
            }
            let end = visits::commands::end_run(tx, run, "ended")?;
            (ended_visits, undo_until) = (Some(end.ended_visits), end.undo_until);
            rooms::queries::run(tx, run)?
        }
        Action::TakeOver => {
            let run = meant(tx, body, room)?;
            rooms::commands::take_over(tx, run, scope.person)?
        }
    };
    let detail = format!("device:{device} {} run:{}", body.action.word(), run.id);
    audit::record(tx, "kiosk.acted", None, &detail)?;
    Ok(Done {
        server_time: tx.now,
        action: body.action,
        run_id: run.id,
        activity_name: run.activity_name,
        room_id: run.room,
        room_name: run.room_name,
        started_at: run.started_at,
        ended_visits,
        undo_until,
    })
}

/// The run that is named, or the open one in the room.
fn meant(tx: &Tx<'_>, body: &Privileged, room: Option<RoomId>) -> Result<RunId> {
    if let Some(run) = body.run_id {
        return Ok(run);
    }
    let room = room.ok_or_else(|| Error::invalid("run_id", "is needed"))?;
    let open = rooms::queries::open_run_in(tx, room)?;
    open.map(|run| run.id).ok_or(Error::NotFound("run"))
}

/// A new PIN, and the password that proves whose it is.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPin {
    /// 4 to 8 digits, not easily guessed as 1234 is.
    pin: String,
    password: String,
}

/// Sets one's own PIN for kiosks.
#[utoipa::path(put, path = "/api/v1/me/pin", tag = "people", request_body = NewPin,
    responses((status = 204), (status = 403, description = "`password.wrong`"), (status = 422),
        (status = 429)))]
async fn set_pin(
    State(app): State<App>,
    Held(attempts): Held<Attempts>,
    peer: Option<Extension<Peer>>,
    who: SignedIn,
    Json(body): Json<NewPin>,
) -> Result<StatusCode> {
    pins::check(&body.pin)?;
    let person = who.person;
    let (account, stored) = app
        .read(move |conn| {
            let account = people::queries::account(conn, person)?;
            Ok((account, people::queries::password_hash(conn, person)?))
        })
        .await?;
    let account = account.ok_or(Error::NotFound("account"))?;
    let attempt = attempts.count(&account.username, peer.as_deref())?;
    let short = body.password.len() <= people::rules::PASSWORD_BYTES_MAX;
    if !short || !attempt.judged(app.hasher.verify(body.password, stored).await)?.ok {
        return Err(Error::Forbidden("password.wrong"));
    }
    attempt.was_right();
    let hash = app.hasher.hash(body.pin).await?;
    app.write(who.actor(), "people.set_pin", move |tx| pins::set(tx, person, &hash)).await?;
    Ok(StatusCode::NO_CONTENT)
}
