//! Who calls: found out before the routes are asked, by a key, a wall screen's
//! cookie, or a login session.
//!
//! A request that shows a key is judged by the key alone: a wrong one never
//! falls back to a cookie. Keys are looked up in memory; a reader's request
//! costs no read of the database.

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use tower_sessions::Session;

use super::session;
use super::signed_in::{Principal, Reader, Screen};
use crate::app::App;
use crate::base::{Actor, Result};
use crate::domain::devices::{self, KeyHolder, Known};

/// The cookie of a wall screen whose browser cannot send a key.
pub const DISPLAY_COOKIE: &str = "daybook_display";

/// What the key says that a request shows.
#[derive(Clone)]
pub enum Shown {
    /// It shows none.
    Nothing,
    /// It is nobody's.
    Wrong,
    Key(Principal),
}

/// Looks the key up that a request shows.
pub fn shown(app: &App, headers: &HeaderMap) -> Shown {
    let Some(shown) = headers.get(header::AUTHORIZATION) else { return Shown::Nothing };
    let Some(key) = shown.to_str().ok().and_then(bearer) else { return Shown::Wrong };
    match app.keys.holder(key, app.clock.now()) {
        Some(KeyHolder::Device(known)) => Shown::Key(Principal::Device(Reader(known))),
        Some(KeyHolder::Display(display)) => Shown::Key(Principal::Display(Screen { display })),
        None if app.operator.is(key) => Shown::Key(Principal::Operator),
        None => Shown::Wrong,
    }
}

impl Shown {
    /// Says whether it is a new key, which must take the place of the old one first.
    pub fn is_new(&self) -> bool {
        matches!(self, Shown::Key(Principal::Device(reader)) if reader.0.rolled)
    }

    /// Has the request come from whoever holds the key.
    pub fn put_on(self, request: &mut Request) {
        if let Shown::Key(principal) = self {
            request.extensions_mut().insert(principal);
        }
    }
}

/// Finds out who calls with a request, be it that the database must be asked.
pub async fn identify(app: &App, request: &mut Request, shown: Shown) -> Result<()> {
    if let Shown::Key(Principal::Device(reader)) = &shown {
        settle(app, reader.0).await?;
    }
    let session = request.extensions().get::<Session>().cloned();
    if matches!(shown, Shown::Nothing)
        && let Some(principal) = by_cookie(app, request.headers(), session).await?
    {
        request.extensions_mut().insert(principal);
    }
    shown.put_on(request);
    Ok(())
}

async fn by_cookie(
    app: &App,
    headers: &HeaderMap,
    session: Option<Session>,
) -> Result<Option<Principal>> {
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
async fn settle(app: &App, known: Known) -> Result<()> {
    if !known.rolled {
        return Ok(());
    }
    let device = known.scanner.device;
    let settle = move |tx: &mut crate::live::Tx<'_>| devices::commands::settle_key(tx, device);
    app.write(Actor::Device(device), "devices.settle_key", settle).await?;
    Ok(())
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
