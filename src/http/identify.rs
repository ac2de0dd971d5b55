//! Who calls: found out before the routes are asked, by a key, a wall screen's
//! cookie, or a login session.
//!
//! A request that shows a key is judged by the key alone: a wrong one never
//! falls back to a cookie. Keys are looked up in memory; a reader's request
//! costs no read of the database.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_sessions::Session;

use super::session;
use super::signed_in::{Principal, Reader, Screen};
use crate::app::App;
use crate::base::{Actor, Result};
use crate::domain::devices::{self, KeyHolder, Known};

/// The cookie of a wall screen whose browser cannot send a key.
pub const DISPLAY_COOKIE: &str = "daybook_display";

/// Finds out who calls.
pub async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let session = request.extensions().get::<Session>().cloned();
    match principal(&app, request.headers(), session).await {
        Ok(Some(principal)) => {
            request.extensions_mut().insert(principal);
        }
        Ok(None) => (),
        Err(error) => return error.into_response(),
    }
    next.run(request).await
}

async fn principal(
    app: &App,
    headers: &HeaderMap,
    session: Option<Session>,
) -> Result<Option<Principal>> {
    if let Some(shown) = headers.get(header::AUTHORIZATION) {
        let key = shown.to_str().ok().and_then(bearer);
        if key.is_some_and(|key| app.operator.is(key)) {
            return Ok(Some(Principal::Operator));
        }
        return match key.and_then(|key| app.keys.holder(key, app.clock.now())) {
            Some(KeyHolder::Device(known)) => Ok(Some(reader(app, known).await?)),
            Some(KeyHolder::Display(display)) => Ok(Some(Principal::Display(Screen { display }))),
            None => Ok(None),
        };
    }
    if let Some(who) = session::caller(app, session).await? {
        return Ok(Some(Principal::Person(who)));
    }
    Ok(screen(app, headers).map(Principal::Display))
}

/// Returns the wall screen that this browser is, whoever else is signed in there.
pub fn screen(app: &App, headers: &HeaderMap) -> Option<Screen> {
    match app.keys.holder(display_cookie(headers)?, app.clock.now())? {
        KeyHolder::Display(display) => Some(Screen { display }),
        // A reader's key is no cookie: browsers would send it along unasked.
        KeyHolder::Device(_) => None,
    }
}

/// Lets a new key that is used for the first time take the place of the old one.
async fn reader(app: &App, known: Known) -> Result<Principal> {
    if known.rolled {
        let device = known.scanner.device;
        let settle = move |tx: &mut crate::live::Tx<'_>| devices::commands::settle_key(tx, device);
        app.write(Actor::Device(device), "devices.settle_key", settle).await?;
    }
    Ok(Principal::Device(Reader(known)))
}

fn bearer(shown: &str) -> Option<&str> {
    let (scheme, key) = shown.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// Returns the token of a wall screen that a browser keeps, good or not.
pub fn display_cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies =
        headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(DISPLAY_COOKIE)?.strip_prefix('='))
}
