//! The HTTP edge: one file a noun, plus what all of them share.

pub mod problem;
pub mod limit;
pub mod guard;
mod framing;
mod pace;
pub mod conn;
pub mod listen;
pub mod access;
pub mod error;
pub mod extract;
pub mod signed_in;
pub mod session;
pub mod sign_in;
pub mod setup;

use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// Returns every route under its path, and the document that describes them.
pub fn routes() -> (Router<App>, OpenApi) {
    let routes: OpenApiRouter<App> =
        OpenApiRouter::new().merge(sign_in::routes()).merge(setup::routes());
    routes.split_for_parts()
}

/// Returns the router as it is served, with everything around the handlers.
pub fn router(app: App, guard: guard::Guard) -> Router {
    let (router, _) = routes();
    router
        .layer(axum::Extension(sign_in::Attempts::default()))
        .layer(axum::middleware::from_fn_with_state(app.clone(), session::identify))
        .layer(session::CookieLayer::new(&app))
        .layer(axum::middleware::from_fn_with_state(guard, guard::guard))
        .with_state(app)
}
