//! Wall screens over HTTP: for the lead, and for the browser that is one.
//!
//! A token is kept as a hash only, and by the screen in a cookie that no script reads. So a repeat
//! of a request that answers with one makes another: no `Idempotency-Key` is honoured there.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Act, Json, Path, Query};
use super::held::Held;
use super::identify::{self, DISPLAY_COOKIE};
use super::limit::Limiter;
use super::listen::{Peer, network};
use super::signed_in::SignedIn;
use crate::app::App;
use crate::base::id::DisplayId;
use crate::base::page::{Page, Paging};
use crate::base::{Error, Result, Timestamp};
use crate::domain::devices::{self, Digits, Display, KeyHolder, displays};

/// Returns the routes of wall screens.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::ADMIN, routes!(list_displays)))
        .routes(may(Who::ADMIN, routes!(add_display)))
        .routes(may(Who::ADMIN, routes!(pair_display)))
        .routes(may(Who::ADMIN, routes!(remove_display)))
        .routes(may(Who::ANYONE, routes!(sign_display_in)))
        .routes(may(Who::ANYONE, routes!(show_digits)))
}

/// How often an address may ask for new digits.
#[derive(Debug, Clone)]
pub struct Rate(Arc<Limiter<IpAddr>>);

impl Default for Rate {
    fn default() -> Rate {
        Rate(Arc::new(Limiter::new(20, Duration::from_secs(30))))
    }
}

/// A wall screen, and whether its page is open now.
#[derive(Serialize, utoipa::ToSchema)]
struct DisplayItem {
    #[serde(flatten)]
    display: Display,
    connected: bool,
}

/// The wall screens whose tokens are good.
#[utoipa::path(get, path = "/api/v1/displays", tag = "devices", params(Paging),
    responses((status = 200, body = Page<DisplayItem>)))]
async fn list_displays(
    State(app): State<App>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<DisplayItem>>> {
    let displays = app.read(devices::queries::displays).await?;
    let open = app.hub.sessions();
    let items = displays
        .into_iter()
        .map(|display| DisplayItem { connected: open.contains(&display.id.session()), display });
    Page::part(items.collect::<Vec<DisplayItem>>(), &paging).map(Json)
}

/// The wall screen to be.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDisplay {
    name: String,
}

/// A wall screen with its token, shown this once.
#[derive(Serialize, utoipa::ToSchema)]
struct DisplayToken {
    #[serde(flatten)]
    display: Display,
    token: String,
}

/// Adds a wall screen that can keep a token by itself; a browser is paired by its digits.
#[utoipa::path(post, path = "/api/v1/displays", tag = "devices", request_body = NewDisplay,
    responses((status = 201, body = DisplayToken), (status = 422)))]
async fn add_display(
    State(app): State<App>,
    who: SignedIn,
    Json(body): Json<NewDisplay>,
) -> Result<(StatusCode, Json<DisplayToken>)> {
    let (display, token) =
        app.write(who.actor(), "displays.add", move |tx| displays::add(tx, &body.name)).await?;
    Ok((StatusCode::CREATED, Json(DisplayToken { display, token })))
}

/// The digits that a screen shows, and what it is to be called.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct PairDisplay {
    /// Six digits; spaces between them do not count.
    code: String,
    name: String,
}

/// Makes the browser that shows these digits a wall screen.
#[utoipa::path(post, path = "/api/v1/displays/pair", tag = "devices", request_body = PairDisplay,
    responses((status = 201, body = Display),
        (status = 422, description = "`field` is `code`: no screen shows these digits now")))]
async fn pair_display(
    State(app): State<App>,
    who: SignedIn,
    Act { body, once }: Act<PairDisplay>,
) -> Result<(StatusCode, Json<Display>)> {
    let waiting = app.pairings.clone();
    let display = app.write_once(once, who.actor(), "displays.pair", move |tx| {
        displays::pair(tx, &waiting, &body.code, &body.name)
    });
    let display = display.await?;
    app.pairings.arrived(&display.key_prefix);
    Ok((StatusCode::CREATED, Json(display)))
}

/// Ends a wall screen's token and its streams.
#[utoipa::path(delete, path = "/api/v1/displays/{id}", tag = "devices",
    params(("id" = DisplayId, Path)), responses((status = 204), (status = 404)))]
async fn remove_display(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<DisplayId>,
) -> Result<StatusCode> {
    app.write(who.actor(), "displays.revoke", move |tx| displays::revoke(tx, id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A wall screen's token.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Token {
    token: String,
}

/// Keeps a wall screen's token in its browser's cookie, since no page can send a key.
#[utoipa::path(post, path = "/api/v1/displays/sign-in", tag = "devices", request_body = Token,
    responses((status = 204), (status = 401)))]
async fn sign_display_in(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    Json(body): Json<Token>,
) -> Result<(StatusCode, HeaderMap)> {
    let KeyHolder::Display(_) =
        app.keys.holder(&body.token, app.clock.now()).ok_or(Error::SignedOut)?
    else {
        return Err(Error::SignedOut);
    };
    Ok((StatusCode::NO_CONTENT, keeping(&body.token, peer.as_deref())?))
}

/// A request that says nothing.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// How far the pairing of this browser is.
#[derive(Serialize, utoipa::ToSchema)]
struct Pairing {
    server_time: Timestamp,
    /// Whether it is a wall screen already.
    paired: bool,
    /// The digits to show until then; after they expire it asks for others.
    code: Option<String>,
    expires_at: Option<Timestamp>,
}

/// Returns the digits that this browser shall show, until the lead has typed them.
#[utoipa::path(post, path = "/api/v1/displays/pairing", tag = "devices", request_body = Nothing,
    responses((status = 200, body = Pairing), (status = 503),
        (status = 429, description = "`display.too_many`")))]
async fn show_digits(
    State(app): State<App>,
    Held(rate): Held<Rate>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Json(Nothing {}): Json<Nothing>,
) -> Result<(HeaderMap, Json<Pairing>)> {
    let now = app.clock.now();
    if identify::screen(&app, &headers).is_some() {
        let paired = Pairing { server_time: now, paired: true, code: None, expires_at: None };
        return Ok((HeaderMap::new(), Json(paired)));
    }
    let token = identify::display_cookie(&headers);
    if let Some(digits) = token.and_then(|token| app.pairings.digits(token, now)) {
        return Ok((HeaderMap::new(), Json(waiting(digits, now))));
    }
    let peer = peer.as_deref();
    let address = peer.map_or(Ipv4Addr::LOCALHOST.into(), |peer| network(peer.remote.ip()));
    rate.0.take(address).map_err(too_many)?;
    let (digits, token) = app.pairings.begin(now)?;
    Ok((keeping(&token, peer)?, Json(waiting(digits, now))))
}

fn waiting(digits: Digits, now: Timestamp) -> Pairing {
    let Digits { text, expires_at } = digits;
    Pairing { server_time: now, paired: false, code: Some(text), expires_at: Some(expires_at) }
}

fn too_many(wait: Duration) -> Error {
    let retry_after_s = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
    Error::TooMany { code: "display.too_many", retry_after_s }
}

/// Has the browser of a wall screen keep its token for a year from now on. A page of the wall asks
/// for it each time, so that a screen goes dark only when nobody has turned it on for so long.
pub(super) fn keeping_on(
    app: &App,
    headers: &HeaderMap,
    peer: Option<&Peer>,
) -> Result<Option<HeaderMap>> {
    let token =
        identify::display_cookie(headers).filter(|_| identify::screen(app, headers).is_some());
    token.map(|token| keeping(token, peer)).transpose()
}

/// Has the browser keep a token where no script reads it.
fn keeping(token: &str, peer: Option<&Peer>) -> Result<HeaderMap> {
    let secure = if peer.is_some_and(|peer| peer.secure) { "; Secure" } else { "" };
    let cookie = format!(
        "{DISPLAY_COOKIE}={token}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Strict{secure}"
    );
    let cookie = HeaderValue::from_str(&cookie).map_err(anyhow::Error::from)?;
    Ok(HeaderMap::from_iter([(SET_COOKIE, cookie)]))
}
