//! The HTTP edge: one file a noun, plus what all of them share.

pub mod problem;
pub mod limit;
mod line;
mod target;
pub mod guard;
mod held;
mod framing;
mod pace;
pub mod conn;
pub mod listen;
pub mod access;
mod agent;
pub mod error;
mod strict;
mod parse;
mod pairs;
mod shapes;
pub mod extract;
pub mod signed_in;
pub mod session;
pub mod identify;
pub mod me;
pub mod sign_in;
pub mod setup;
pub mod streams;
mod dialect;
mod outlet;
mod opening;
pub mod sse;
pub mod ws;
pub mod online;
mod figures;
pub mod findings;
pub mod health;
pub mod house;
pub mod rooms;
pub mod memberships;
pub mod runs;
pub mod supervisions;
pub mod offers;
pub mod visits;
pub mod attendance;
pub mod present;
pub mod document;
pub mod assets;
pub mod pages;
pub mod doors;
mod lost;
pub mod accounts;
pub mod badges;
pub mod contacts;
pub mod audit;
pub mod board;
pub mod help;
pub mod tracking;
pub mod people;
pub mod roster;
pub mod devices;
pub mod displays;
pub mod readers;
pub mod scans;
pub mod kiosk;
pub mod classic;
mod around;
mod squeeze;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Extensions;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use self::around::Around;
use self::guard::Guard;
use self::held::Fixtures;
use self::listen::Gate;
use self::streams::{Caps, Streams};
use self::ws::sockets::Sockets;
use crate::app::App;

/// Returns every route under its path, and the document that describes them.
pub fn routes() -> (Router<App>, OpenApi) {
    let nouns = [
        sign_in::routes(),
        me::routes(),
        setup::routes(),
        sse::routes(),
        ws::routes(),
        online::routes(),
        health::routes(),
        house::routes(),
        rooms::routes(),
        memberships::routes(),
        runs::routes(),
        supervisions::routes(),
        offers::routes(),
        visits::routes(),
        attendance::routes(),
        present::routes(),
        document::routes(),
        assets::routes(),
        board::routes(),
        help::routes(),
        tracking::routes(),
        pages::routes(),
        doors::routes(),
        people::routes(),
        accounts::routes(),
        badges::routes(),
        contacts::routes(),
        audit::routes(),
        roster::routes(),
        devices::routes(),
        displays::routes(),
        readers::routes(),
        scans::routes(),
        kiosk::routes(),
        classic::routes(),
    ];
    let routes: OpenApiRouter<App> =
        nouns.into_iter().fold(OpenApiRouter::new(), OpenApiRouter::merge);
    let (router, paths) = routes.split_for_parts();
    (router, document::finish(paths))
}

/// Returns the router as it is served behind a door, with everything around the handlers.
pub fn router(app: App, guard: Guard, gate: &Arc<Gate>) -> Router {
    let (router, _) = routes();
    let around = Around::new(app.clone(), guard, fixtures(&app, gate));
    router.fallback(lost::lost).layer(around).with_state(app)
}

/// Returns what handlers share besides the house.
fn fixtures(app: &App, gate: &Arc<Gate>) -> Fixtures {
    let config = &app.config;
    let caps = Caps {
        all: config.streams_max,
        per_person: config.streams_per_person,
        per_address: config.streams_per_address,
    };
    let stall = Duration::from_secs(config.stream_stall_s.into());
    let mut all = Extensions::new();
    all.insert(gate.clone());
    all.insert(Arc::new(Sockets::default()));
    all.insert(Arc::new(Streams::new(caps, stall, app.clock.clone())));
    all.insert(readers::Rates::new(config));
    all.insert(sign_in::Attempts::default());
    all.insert(displays::Rate::default());
    all.insert(health::Proofs::default());
    Fixtures::new(all)
}
