//! What badge readers call about themselves: being let in, heartbeats,
//! configuration, orders. Their scans are in `scans.rs`.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Json, Path};
use super::held::Held;
use super::limit::Limiter;
use super::listen::{Peer, network};
use super::signed_in::Reader;
use crate::app::App;
use crate::base::id::{CommandId, DeviceId};
use crate::base::{Actor, Error, Result, Timestamp};
use crate::config::Config as Settings;
use crate::domain::devices::model::{Beat, Enrolment};
use crate::domain::devices::{self, Command, Config, rules};

/// What the paths of all that readers call begin with.
pub const PATHS: &str = "/api/v1/device/";

/// Returns the routes that readers call about themselves.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::ANYONE, routes!(enroll)))
        .routes(may(Who::DEVICE, routes!(heartbeat)))
        .routes(may(Who::DEVICE, routes!(config)))
        .routes(may(Who::DEVICE, routes!(acknowledge)))
}

/// How often readers may call, each for itself: one that floods slows nobody else.
#[derive(Debug, Clone)]
pub struct Rates {
    /// By address: codes can be typed wrongly, not guessed.
    enrolments: Arc<Limiter<IpAddr>>,
    calls: Arc<Limiter<DeviceId>>,
    scans: Arc<Limiter<DeviceId>>,
}

impl Rates {
    /// Returns the rates that the settings give.
    pub fn new(settings: &Settings) -> Rates {
        let every = Duration::from_secs(1) / settings.device_scans_per_s;
        Rates {
            enrolments: Arc::new(Limiter::new(20, Duration::from_secs(6))),
            calls: Arc::new(Limiter::new(300, Duration::from_millis(50))),
            scans: Arc::new(Limiter::new(settings.device_scans_burst, every)),
        }
    }

    /// Takes `count` scans from what the reader may send.
    pub fn scans(&self, device: DeviceId, count: usize) -> Result<()> {
        self.scans.take_many(device, count).map_err(too_many)
    }
}

fn too_many(wait: Duration) -> Error {
    let retry_after_s = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
    Error::TooMany { code: "device.too_many", retry_after_s }
}

/// A reader whose call has been counted.
pub struct Paced(pub Reader);

impl<S: Sync> FromRequestParts<S> for Paced {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Paced> {
        let reader = Reader::from_request_parts(parts, state).await?;
        let rates = Held::<Rates>::of(&parts.extensions)?;
        rates.calls.take(reader.device()).map_err(too_many)?;
        Ok(Paced(reader))
    }
}

/// What a reader says of itself to be let in.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Enroll {
    /// As the admin's page shows it; case and dashes do not matter.
    code: String,
    serial: String,
    model: String,
    firmware: String,
}

/// The key is shown this once.
#[derive(Serialize, utoipa::ToSchema)]
struct Enrolled {
    device_id: DeviceId,
    key: String,
    config: Config,
    server_time: Timestamp,
}

/// Lets a reader in by its code.
#[utoipa::path(post, path = "/api/v1/device/enroll", tag = "readers", request_body = Enroll,
    responses((status = 201, body = Enrolled), (status = 403, description = "`device.enroll_code_wrong`"),
        (status = 410, description = "`device.enroll_code_used`, `device.enroll_code_expired`"),
        (status = 422), (status = 429)))]
async fn enroll(
    State(app): State<App>,
    Held(rates): Held<Rates>,
    peer: Option<Extension<Peer>>,
    Json(body): Json<Enroll>,
) -> Result<(StatusCode, Json<Enrolled>)> {
    let address = peer.map_or(Ipv4Addr::LOCALHOST.into(), |peer| network(peer.remote.ip()));
    rates.enrolments.take(address).map_err(too_many)?;
    let Enroll { code, serial, model, firmware } = body;
    let enrolment = Enrolment { code, serial, model, firmware };
    let enrolled = app
        .write(Actor::System, "devices.enrol", move |tx| devices::commands::enrol(tx, &enrolment))
        .await?;
    let answer = Enrolled {
        device_id: enrolled.device,
        key: enrolled.key,
        config: enrolled.config,
        server_time: app.clock.now(),
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// How a reader is.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Heartbeat {
    /// Made anew at each start of the reader.
    boot_id: String,
    firmware: String,
    uptime_s: u32,
    /// How many scans wait in the reader.
    queue_depth: u32,
    /// How long the oldest of them has waited.
    oldest_age_s: Option<u32>,
    /// In dBm.
    rssi: Option<i16>,
    /// In bytes.
    free_heap: Option<u32>,
    /// In per cent.
    #[schema(maximum = 100)]
    battery: Option<u8>,
    /// What the reader's clock says, if it has one.
    device_time: Option<Timestamp>,
    last_seq: Option<u32>,
}

/// What a reader is to do now.
#[derive(Serialize, utoipa::ToSchema)]
struct Pulse {
    server_time: Timestamp,
    /// When it differs from that of the configuration at hand, fetch the configuration.
    config_etag: String,
    /// When to come again.
    next_s: u64,
    commands: Vec<Command>,
}

/// Takes in how a reader is, once a minute, and tells it what to do.
#[utoipa::path(post, path = "/api/v1/device/heartbeat", tag = "readers", request_body = Heartbeat,
    responses((status = 200, body = Pulse), (status = 401), (status = 422), (status = 429)))]
async fn heartbeat(
    State(app): State<App>,
    Paced(reader): Paced,
    Json(body): Json<Heartbeat>,
) -> Result<Json<Pulse>> {
    if body.battery.is_some_and(|battery| battery > 100) {
        return Err(Error::invalid("battery", "must be 0 to 100"));
    }
    let beat = Beat {
        boot_id: body.boot_id,
        firmware: body.firmware,
        uptime_s: body.uptime_s.into(),
        queue_depth: body.queue_depth.into(),
        oldest_age_s: body.oldest_age_s.map(i64::from),
        rssi: body.rssi.map(i64::from),
        free_heap: body.free_heap.map(i64::from),
        battery: body.battery.map(i64::from),
        device_time: body.device_time,
        last_seq: body.last_seq.map(i64::from),
    };
    let device = reader.device();
    let reply = app
        .write(reader.actor(), "devices.beat", move |tx| devices::health::beat(tx, device, &beat))
        .await?;
    Ok(Json(Pulse {
        server_time: app.clock.now(),
        config_etag: reply.config_etag,
        next_s: rules::BEAT_EVERY.as_secs(),
        commands: reply.commands,
    }))
}

/// What the reader is to be.
#[utoipa::path(get, path = "/api/v1/device/config", tag = "readers",
    params(("If-None-Match" = Option<String>, Header, description = "the ETag at hand")),
    responses((status = 200, body = Config), (status = 304), (status = 401), (status = 429)))]
async fn config(
    State(app): State<App>,
    Paced(reader): Paced,
    headers: HeaderMap,
) -> Result<Response> {
    let device = reader.device();
    let config = app.read(move |conn| devices::queries::config(conn, device)).await?;
    let etag = config.etag();
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    let mut known = known.unwrap_or_default().split(',');
    let same = known.any(|known| known.trim().trim_start_matches("W/").trim_matches('"') == etag);
    let mut response = match same {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Json(config).into_response(),
    };
    let etag = HeaderValue::from_str(&format!("\"{etag}\"")).map_err(anyhow::Error::from)?;
    response.headers_mut().insert(header::ETAG, etag);
    Ok(response)
}

/// Says that an order was carried out.
#[utoipa::path(post, path = "/api/v1/device/commands/{id}/ack", tag = "readers",
    params(("id" = CommandId, Path)), responses((status = 204), (status = 404), (status = 429)))]
async fn acknowledge(
    State(app): State<App>,
    Paced(reader): Paced,
    Path(id): Path<CommandId>,
) -> Result<StatusCode> {
    let device = reader.device();
    app.write(reader.actor(), "devices.acknowledge", move |tx| {
        devices::commands::acknowledge(tx, device, id)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
