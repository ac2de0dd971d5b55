//! How the process is, for whoever watches it: alive, ready, and in figures.

use std::sync::Arc;
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
use super::figures::Figures;
use super::findings::{self, Finding, Level};
use super::held::Held;
use super::limit::Limiter;
use super::listen::{Gate, Peer};
use super::problem::Problem;
use super::signed_in::Principal;
use super::streams::Streams;
use crate::app::App;
use crate::base::{Actor, Error, Result, Timestamp};
use crate::domain::house;

/// How long the writer may take to show that it works.
const WRITER_ANSWERS: Duration = Duration::from_secs(5);

/// How often the disk is written to for whoever asks: as anybody may, that is bounded.
const PROOF_EVERY: Duration = Duration::from_secs(1);

/// Who may see the figures.
const WATCHERS: Who = Who::ADMIN.and(Who::OPERATOR);

/// Returns the routes of health.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::ANYONE, routes!(alive)))
        .routes(may(Who::ANYONE, routes!(ready)))
        .routes(may(Who::ANYONE, routes!(metrics)))
        .routes(may(WATCHERS, routes!(report)))
}

/// When the disk may be written to again as a proof.
#[derive(Debug, Clone)]
pub struct Proofs(Arc<Limiter<()>>);

impl Default for Proofs {
    fn default() -> Proofs {
        Proofs(Arc::new(Limiter::new(1, PROOF_EVERY)))
    }
}

impl Proofs {
    /// Returns when the writer has worked; once in a while, when the disk has.
    async fn ask(&self, app: &App) -> Result<()> {
        if self.0.take(()).is_err() {
            return app.write(Actor::System, "health.ready", |_| Ok(())).await;
        }
        // A disk that is full is asked again each time, so that its end is not missed.
        app.prove_writable().await.inspect_err(|_| self.0.give_back(&()))
    }
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
async fn ready(
    State(app): State<App>,
    Held(gate): Held<Arc<Gate>>,
    Held(proofs): Held<Proofs>,
) -> Response {
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
    match timeout(WRITER_ANSWERS, proofs.ask(&app)).await {
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
    Held(gate): Held<Arc<Gate>>,
    Held(streams): Held<Arc<Streams>>,
    peer: Option<Extension<Peer>>,
    principal: Option<Extension<Principal>>,
    headers: HeaderMap,
) -> Result<Response> {
    let may = principal.as_deref().is_some_and(|who| WATCHERS.has(who.into()));
    // What a proxy on this machine passes on does not come from this machine.
    let passed_on = headers.contains_key("x-forwarded-for") || headers.contains_key("forwarded");
    let from_here = peer.is_some_and(|peer| peer.remote.ip().to_canonical().is_loopback());
    if !may && (passed_on || !from_here) {
        let refused = principal.map_or(Error::SignedOut, |_| Error::Forbidden("access.role"));
        return Err(refused);
    }
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, Figures::read(&app, &gate, &streams).prometheus()).into_response())
}

/// How the server is: in a word, in sentences, and in figures.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct HealthReport {
    as_of: Timestamp,
    /// The worst of the findings.
    status: Level,
    findings: Vec<Finding>,
    #[serde(flatten)]
    figures: Figures,
}

/// Says in words and in figures how the server is, and which client is slow.
#[utoipa::path(get, path = "/api/v1/health", tag = "health",
    responses((status = 200, description = "how it is", body = HealthReport)))]
async fn report(
    State(app): State<App>,
    Held(gate): Held<Arc<Gate>>,
    Held(streams): Held<Arc<Streams>>,
) -> Json<HealthReport> {
    let figures = Figures::read(&app, &gate, &streams);
    let findings = findings::of(&figures);
    Json(HealthReport {
        as_of: app.clock.now(),
        status: findings::worst(&findings),
        findings,
        figures,
    })
}
