//! What the edge itself holds besides the house: one of each, for all requests.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::Extensions;
use axum::http::request::Parts;

use crate::base::{Error, Result};

/// All of it, by type. A request carries it as one thing: to put each of them into each request
/// costs a box and a place for each. Clones are the same one.
#[derive(Clone)]
pub struct Fixtures(Arc<Extensions>);

/// One of them, as handlers take it.
pub struct Held<T>(pub T);

impl Fixtures {
    /// Keeps what is in `all`.
    pub fn new(all: Extensions) -> Fixtures {
        Fixtures(Arc::new(all))
    }
}

impl<T: Clone + Send + Sync + 'static> Held<T> {
    /// Returns it from what a request carries.
    pub fn of(request: &Extensions) -> Result<T> {
        let held = request.get::<Fixtures>().and_then(|all| all.0.get::<T>());
        held.cloned().ok_or_else(|| {
            Error::Internal(anyhow::anyhow!("no {} stands around", std::any::type_name::<T>()))
        })
    }
}

impl<T: Clone + Send + Sync + 'static, S: Sync> FromRequestParts<S> for Held<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Held<T>> {
        Held::of(&parts.extensions).map(Held)
    }
}
