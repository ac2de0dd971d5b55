//! Signing in and out, one's own sessions and password.
//!
//! A wrong name and a wrong password are the same answer after the same work. Wrong attempts
//! are counted by account and address, by account, and by address; right ones cost nothing.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use tower_sessions::Session;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::agent;
use super::extract::{Json, Path, Query};
use super::held::Held;
use super::limit::Limiter;
use super::listen::{Peer, network};
use super::me::{self, Me};
use super::session;
use super::signed_in::SignedIn;
use crate::app::App;
use crate::base::id::PersonId;
use crate::base::page::{Page, Paging};
use crate::base::{Actor, Error, Result, Timestamp, secret};
use crate::domain::house;
use crate::domain::people::sessions;
use crate::domain::people::{self, rules};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::ANYONE, routes!(login)))
        .routes(may(Who::PEOPLE, routes!(logout)))
        .routes(may(Who::PEOPLE, routes!(list_sessions)))
        .routes(may(Who::PEOPLE, routes!(end_session)))
        .routes(may(Who::PEOPLE, routes!(change_password)))
}

/// How often a sign-in may fail before it has to wait.
#[derive(Debug, Clone)]
pub struct Attempts {
    /// By account and address: the rightful owner can sign in from elsewhere.
    here: Arc<Limiter<([u8; 32], IpAddr)>>,
    /// By account, however many addresses try.
    account: Arc<Limiter<[u8; 32]>>,
    /// By address, however many accounts are tried.
    address: Arc<Limiter<IpAddr>>,
}

impl Default for Attempts {
    fn default() -> Attempts {
        Attempts {
            here: Arc::new(Limiter::new(10, Duration::from_secs(30))),
            account: Arc::new(Limiter::new(100, Duration::from_secs(10))),
            address: Arc::new(Limiter::new(60, Duration::from_secs(5))),
        }
    }
}

/// An attempt that has been counted, until it proves to be right.
pub struct Attempt<'a> {
    attempts: &'a Attempts,
    account: [u8; 32],
    address: IpAddr,
}

impl Attempts {
    /// Counts an attempt on `account` by `peer`, unless there were too many.
    pub fn count(&self, account: &str, peer: Option<&Peer>) -> Result<Attempt<'_>> {
        let account = secret::hash(rules::username_key(account));
        let address = peer.map_or(Ipv4Addr::LOCALHOST.into(), |peer| network(peer.remote.ip()));
        // The address first: one that has tried too often adds no more names to the others, where it
        // would fill the room for them until everybody shared what is kept for newcomers.
        self.address.take(address).map_err(too_many)?;
        let here = (account, address);
        let taken = self
            .here
            .take(here)
            .and_then(|()| self.account.take(account).inspect_err(|_| self.here.give_back(&here)));
        if let Err(wait) = taken {
            self.address.give_back(&address);
            return Err(too_many(wait));
        }
        Ok(Attempt { attempts: self, account, address })
    }
}

impl Attempt<'_> {
    /// Passes a verdict on; an attempt that could not be judged does not count.
    pub fn judged<T>(&self, verdict: Result<T>) -> Result<T> {
        if verdict.is_err() {
            self.was_right();
        }
        verdict
    }

    /// Takes the attempt off the count: it was right.
    pub fn was_right(&self) {
        self.attempts.here.give_back(&(self.account, self.address));
        self.attempts.address.give_back(&self.address);
        self.attempts.account.give_back(&self.account);
    }
}

fn too_many(wait: Duration) -> Error {
    let retry_after_s = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
    Error::TooMany { code: "login.too_many", retry_after_s }
}

/// A name and a password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    username: String,
    password: String,
    /// Of a second factor. No account has one yet: anything but null or nothing is refused, lest
    /// somebody believe that it was looked at.
    code: Option<String>,
}

/// Signs in: sets the session cookie.
#[utoipa::path(post, path = "/api/v1/login", tag = "people", request_body = Credentials,
    responses((status = 200, body = Me), (status = 401, description = "`login.failed`"),
        (status = 422, description = "`field` is `code`: no account has a second factor"),
        (status = 429, description = "`login.too_many`"), (status = 503)))]
async fn login(
    State(app): State<App>,
    Held(attempts): Held<Attempts>,
    peer: Option<Extension<Peer>>,
    session: Session,
    headers: HeaderMap,
    Json(credentials): Json<Credentials>,
) -> Result<Json<Me>> {
    let Credentials { username, password, code } = credentials;
    // Said before the password is looked at: it is so for every account, and tells of none.
    if code.is_some_and(|code| !code.is_empty()) {
        return Err(Error::invalid("code", "no account has a second factor; sign in without"));
    }
    let person = check(&app, &attempts, peer.as_deref(), username, password).await?;
    sign_in(&app, &session, person, &headers).await.map(Json)
}

/// Returns whose name and password these are.
pub async fn check(
    app: &App,
    attempts: &Attempts,
    peer: Option<&Peer>,
    username: String,
    password: String,
) -> Result<PersonId> {
    let attempt = attempts.count(&username, peer)?;
    if password.len() > rules::PASSWORD_BYTES_MAX {
        return Err(Error::LoginFailed);
    }
    let login = app.read(move |conn| people::queries::login(conn, &username)).await?;
    let stored = login.as_ref().map(|login| login.password_hash.clone());
    let verdict = attempt.judged(app.hasher.verify(password.clone(), stored).await)?;
    let Some(login) = login.filter(|login| verdict.ok && login.enabled) else {
        return Err(Error::LoginFailed);
    };
    attempt.was_right();
    if verdict.renew {
        let new = app.hasher.hash(password).await?;
        let old = login.password_hash;
        app.write(Actor::Person(login.person), "people.renew_hash", move |tx| {
            people::commands::renew_hash(tx, login.person, &old, &new)
        })
        .await?;
    }
    Ok(login.person)
}

/// Opens a session for a person and returns what a page begins with.
pub async fn sign_in(
    app: &App,
    session: &Session,
    person: PersonId,
    headers: &HeaderMap,
) -> Result<Me> {
    session::sign_in(session, person, &agent::device_name(headers)).await?;
    let who = session::holder(session).await?.ok_or(Error::SignedOut)?;
    app.presence.acted(who.person, agent::device_kind(headers), app.clock.now());
    me::about(app, who).await
}

/// Signs out: ends this session and its streams.
#[utoipa::path(post, path = "/api/v1/logout", tag = "people", responses((status = 204)))]
async fn logout(session: Session) -> Result<StatusCode> {
    session::sign_out(&session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One of one's own sessions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MySession {
    id: String,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    /// Whether it is the one that asks.
    current: bool,
    /// The browser in a few words.
    device: String,
}

/// Lists one's own open sessions, the one used last first.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "people", params(Paging),
    responses((status = 200, body = Page<MySession>)))]
async fn list_sessions(
    State(app): State<App>,
    who: SignedIn,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<MySession>>> {
    let (now, person) = (app.clock.now(), who.person);
    let sessions = app.read(move |conn| sessions::of(conn, person, now)).await?;
    let mine = sessions.into_iter().map(|session| MySession {
        current: session.public_id == who.session,
        id: session.public_id,
        created_at: session.created_at,
        last_seen_at: session.last_seen_at,
        device: session.device,
    });
    Page::part(mine.collect::<Vec<MySession>>(), &paging).map(Json)
}

/// Ends one of one's own sessions and its streams.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "people",
    params(("id" = String, Path)), responses((status = 204), (status = 404)))]
async fn end_session(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let person = who.person;
    app.write(who.actor(), "people.end_session", move |tx| sessions::end(tx, person, &id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The present password and the one to come.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    current: String,
    new: String,
}

/// Changes one's own password. This session goes on under a new id, all others end.
#[utoipa::path(put, path = "/api/v1/me/password", tag = "people", request_body = NewPassword,
    responses((status = 204), (status = 422, description = "the new one is short or common"),
        (status = 403, description = "`password.wrong`"), (status = 429)))]
async fn change_password(
    State(app): State<App>,
    Held(attempts): Held<Attempts>,
    peer: Option<Extension<Peer>>,
    who: SignedIn,
    session: Session,
    headers: HeaderMap,
    Json(passwords): Json<NewPassword>,
) -> Result<StatusCode> {
    let NewPassword { current, new } = passwords;
    let person = who.person;
    let (account, stored, house) = app
        .read(move |conn| {
            let account = people::queries::account(conn, person)?;
            let stored = people::queries::password_hash(conn, person)?;
            Ok((account, stored, house::queries::house(conn)?.name))
        })
        .await?;
    let account = account.ok_or(Error::NotFound("account"))?;
    rules::check_password("new", &new, &account.username, &house)?;
    let attempt = attempts.count(&account.username, peer.as_deref())?;
    let fits = current.len() <= rules::PASSWORD_BYTES_MAX;
    if !fits || !attempt.judged(app.hasher.verify(current, stored).await)?.ok {
        return Err(Error::Forbidden("password.wrong"));
    }
    attempt.was_right();
    let hash = app.hasher.hash(new).await?;
    app.write(who.actor(), "people.set_password", move |tx| {
        people::commands::set_password(tx, person, &hash, Some(&who.session))
    })
    .await?;
    sign_in(&app, &session, person, &headers).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    fn peer(ip: [u8; 4]) -> super::Peer {
        let local = ([127, 0, 0, 1], 80).into();
        super::Peer { remote: (ip, 1).into(), local, secure: false }
    }

    #[test]
    fn an_address_that_floods_with_names_keeps_nobody_elsewhere_out() {
        let attempts = super::Attempts::default();
        let (one, other) = (peer([10, 0, 0, 9]), peer([10, 0, 0, 10]));
        for n in 0..20_000 {
            let _ = attempts.count(&format!("nobody{n}"), Some(&one));
        }
        for n in 0..50 {
            attempts.count(&format!("mia{n}"), Some(&other)).unwrap();
        }
    }

    /// Fault 32.
    #[test]
    fn guesses_wear_out_an_account_from_one_address_only() {
        let attempts = super::Attempts::default();
        let failed = (0..30).filter(|_| attempts.count("mia", None).is_err()).count();
        assert_eq!(failed, 20);
        attempts.count("mia", Some(&peer([10, 0, 0, 9]))).unwrap().was_right();
    }

    /// Fault 33.
    #[test]
    fn an_address_that_tries_many_accounts_is_slowed_and_right_ones_cost_nothing() {
        let attempts = super::Attempts::default();
        for n in 0..1_000 {
            attempts.count(&format!("right{n}"), None).unwrap().was_right();
        }
        let passed = (0..500).filter(|n| attempts.count(&format!("user{n}"), None).is_ok()).count();
        assert_eq!(passed, 60);
    }
}
