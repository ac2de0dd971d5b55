//! The HTTP edge: one file a noun, plus what all of them share.

pub mod access;
pub mod error;
pub mod extract;
pub mod signed_in;

use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// Returns every route under its path, and the document that describes them.
pub fn routes() -> (Router<App>, OpenApi) {
    let routes: OpenApiRouter<App> = OpenApiRouter::new();
    routes.split_for_parts()
}

/// Returns the router as it is served, with everything around the handlers.
pub fn router(app: App) -> Router {
    let (router, _) = routes();
    router.layer(axum::middleware::map_response(error::render)).with_state(app)
}
