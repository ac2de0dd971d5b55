//! How the process is, for whoever watches it: alive, ready, and in figures.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::time::timeout;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::Json;
use super::listen::{Gate, Peer};
use super::problem::Problem;
use super::signed_in::Principal;
use crate::app::App;
use crate::base::{Actor, Error, Result};
use crate::domain::house;
use crate::domain::people::Role;

/// How long the writer may take to show that it works.
const WRITER_ANSWERS: Duration = Duration::from_secs(5);

/// Returns the routes of health.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::ANYONE, routes!(alive)))
        .routes(may(Who::ANYONE, routes!(ready)))
        .routes(may(Who::ANYONE, routes!(metrics)))
}

/// The state in one word.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Health {
    pub(super) status: &'static str,
}

/// Says that the process is alive.
#[utoipa::path(
    get,
    path = "/healthz",
    responses((status = 200, description = "alive", body = Health)),
    tag = "health"
)]
async fn alive() -> Json<Health> {
    Json(Health { status: "alive" })
}

/// Says whether the house can serve: the database can be read and written, the door is open.
#[utoipa::path(
    get,
    path = "/readyz",
    responses(
        (status = 200, description = "ready", body = Health),
        (status = 503, description = "not ready, and why"),
    ),
    tag = "health"
)]
async fn ready(State(app): State<App>, Extension(gate): Extension<Arc<Gate>>) -> Response {
    let not_ready = |why: &str| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "server.not_ready")
            .because(why.to_owned())
            .after(5)
            .into_response()
    };
    if gate.is_closing() {
        return not_ready("the house is closing");
    }
    if let Err(error) = app.read(house::queries::exists).await {
        return not_ready(&format!("the database cannot be read: {error}"));
    }
    let write = app.write(Actor::System, "health.ready", |_| Ok(()));
    match timeout(WRITER_ANSWERS, write).await {
        Ok(Ok(())) => Json(Health { status: "ready" }).into_response(),
        Ok(Err(error)) => not_ready(&format!("the database cannot be written: {error}")),
        Err(_) => not_ready("the writer does not answer"),
    }
}

/// Shows what the server has done and does, as Prometheus text; to admins, and to this machine.
#[utoipa::path(
    get,
    path = "/metrics",
    responses(
        (status = 200, description = "figures", body = String, content_type = "text/plain"),
        (status = 401, description = "neither from this machine nor signed in"),
        (status = 403, description = "not an admin"),
    ),
    tag = "health"
)]
async fn metrics(
    State(app): State<App>,
    Extension(gate): Extension<Arc<Gate>>,
    peer: Option<Extension<Peer>>,
    principal: Option<Extension<Principal>>,
    headers: HeaderMap,
) -> Result<Response> {
    let admin = match principal.as_deref() {
        Some(Principal::Person(who)) => who.role == Role::Admin,
        _ => false,
    };
    // What a proxy on this machine passes on does not come from this machine.
    let passed_on = headers.contains_key("x-forwarded-for") || headers.contains_key("forwarded");
    let from_here = peer.is_some_and(|peer| peer.remote.ip().to_canonical().is_loopback());
    if !admin && (passed_on || !from_here) {
        let refused = principal.map_or(Error::SignedOut, |_| Error::Forbidden("access.role"));
        return Err(refused);
    }
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, figures(&app, &gate)).into_response())
}

fn figures(app: &App, gate: &Gate) -> String {
    let m = app.hub.metrics();
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let depth = |gauge: &std::sync::atomic::AtomicI64| gauge.load(Ordering::Relaxed);
    let mut page = Page(String::with_capacity(4096));
    page.gauge("connections_open", "Connections that are open, streams included.", gate.open());
    page.counter("connections_refused_total", "Connections over a cap.", gate.refused());
    page.gauge("streams_open", "Event streams that are open.", depth(&m.streams));
    page.gauge("stream_lag_frames", "Frames that the slowest stream is behind.", app.hub.lag());
    page.counter("deliveries_total", "Frames handed to streams.", count(&m.deliveries));
    page.counter("replayed_total", "Events read back from the log.", count(&m.replayed));
    page.counter("resyncs_total", "Streams told to read snapshots again.", count(&m.resyncs));
    page.head("stream_cuts_total", "Streams ended by the server, by reason.", "counter");
    for (reason, counter) in
        [("stalled", &m.cuts_stalled), ("rights", &m.cuts_rights), ("shutdown", &m.cuts_drain)]
    {
        page.line(&format!("stream_cuts_total{{reason=\"{reason}\"}}"), count(counter));
    }
    page.gauge("people_present", "People who are online.", app.presence.everybody().len());
    page.gauge("write_queue", "Writes that wait for the writer.", depth(&m.queue_depth));
    page.counter("writes_refused_total", "Writes over the queue's cap.", count(&m.queue_refused));
    page.counter("writes_total", "Writes that were committed.", count(&m.writes));
    page.counter("commits_failed_total", "Commits that failed.", count(&m.commits_failed));
    page.head("commit_seconds", "Time of a commit; writes share one.", "summary");
    page.line("commit_seconds_sum", count(&m.commit_us) as f64 / 1e6);
    page.line("commit_seconds_count", count(&m.commits));
    page.gauge("log_position", "Position of the newest event.", app.hub.head().seq);
    page.0
}

/// A page of figures in the making. Writing to a String cannot fail.
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, help: &str, kind: &str) {
        let _ = writeln!(self.0, "# HELP daybook_{name} {help}\n# TYPE daybook_{name} {kind}");
    }

    fn line(&mut self, name: &str, value: impl fmt::Display) {
        let _ = writeln!(self.0, "daybook_{name} {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl fmt::Display) {
        self.head(name, help, "gauge");
        self.line(name, value);
    }

    fn counter(&mut self, name: &str, help: &str, value: impl fmt::Display) {
        self.head(name, help, "counter");
        self.line(name, value);
    }
}
