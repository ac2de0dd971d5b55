//! Login sessions: the cookie, our store behind it, and who is behind a request.
//!
//! Under TLS the cookie is called `__Host-daybook` and is `Secure`; in clear text, where
//! browsers refuse both, `daybook`. The browser's id is never stored, only its hash.

use std::convert::Infallible;

use axum::extract::Request;
use axum::http::header;
use axum::response::Response;
use sha2::{Digest as _, Sha256};
use tower::{Layer, Service, ServiceExt as _};
use tower_sessions::cookie::SameSite;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{self, SessionStore};
use tower_sessions::{Session, SessionManagerLayer};

use super::listen::Peer;
use super::readers;
use super::signed_in::SignedIn;
use crate::app::App;
use crate::base::id::PersonId;
use crate::base::{Actor, Error, Result};
use crate::domain::people::sessions::{self, Holder, NewSession, SessionHash};

/// Under which key a record names its person.
const PERSON: &str = "person";

/// Under which key a new record names the browser.
const DEVICE: &str = "device";

/// Under which key a loaded record says who is behind it.
const HOLDER: &str = "holder";

/// Opens a session for a person whose password was right, in place of any that the browser
/// had: the id is new, so that one planted before is worth nothing.
pub async fn sign_in(session: &Session, person: PersonId, device: &str) -> Result<()> {
    if session.id().is_some() {
        session.cycle_id().await.map_err(ours)?;
    }
    session.insert(PERSON, person).await.map_err(ours)?;
    session.insert(DEVICE, device).await.map_err(ours)?;
    let saved = session.save().await.map_err(ours);
    if saved.is_err() {
        // Else the layer around would try again and hide the reason.
        session.clear().await;
    }
    saved
}

/// Ends the session of this browser.
pub async fn sign_out(session: &Session) -> Result<()> {
    session.flush().await.map_err(ours)
}

/// Returns who is behind the session, if anybody is.
pub async fn holder(session: &Session) -> Result<Option<SignedIn>> {
    let holder = session.get::<Holder>(HOLDER).await.map_err(ours)?;
    Ok(holder.map(|Holder { person, role, public_id, .. }| SignedIn {
        person,
        role,
        session: public_id,
    }))
}

/// Returns who is signed in by the request's session, and notes its use from time to time.
pub async fn caller(app: &App, session: Option<Session>) -> Result<Option<SignedIn>> {
    let Some(session) = session.filter(|session| session.id().is_some()) else { return Ok(None) };
    let Some(holder) = session.get::<Holder>(HOLDER).await.map_err(ours)? else { return Ok(None) };
    if holder.last_seen_at.plus(sessions::TOUCH_EVERY) < app.clock.now() {
        let session = holder.public_id.clone();
        let touched = app
            .write(Actor::Person(holder.person), "people.touch", move |tx| {
                sessions::touch(tx, &session)
            })
            .await;
        // Reads go on while the storage takes no writes.
        if let Err(error) = touched {
            tracing::debug!(error = error.chain(), "the use of a session could not be noted");
        }
    }
    Ok(Some(SignedIn { person: holder.person, role: holder.role, session: holder.public_id }))
}

/// Our table as the session layer's store. A record is made at sign-in and never changes.
#[derive(Clone)]
pub struct Sessions {
    app: App,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

impl Sessions {
    async fn open(&self, record: &mut Record) -> Result<()> {
        let person = record.data.get(PERSON).cloned().unwrap_or_default();
        let person: PersonId = serde_json::from_value(person).map_err(anyhow::Error::from)?;
        let device = record.data.get(DEVICE).and_then(|device| device.as_str());
        let (hash, device) = (hash(&record.id), device.unwrap_or_default().to_owned());
        let new = NewSession { hash, person, device };
        let by = Actor::Person(person);
        self.app.write(by, "people.sign_in", move |tx| sessions::open(tx, new)).await?;
        self.fill(record).await
    }

    /// Reads who is behind the record into it; empties it when nobody is.
    async fn fill(&self, record: &mut Record) -> Result<()> {
        let (hash, now) = (hash(&record.id), self.app.clock.now());
        let holder = self.app.read(move |conn| sessions::holder(conn, &hash, now)).await?;
        record.data.clear();
        if let Some(holder) = holder {
            let holder = serde_json::to_value(holder).map_err(anyhow::Error::from)?;
            record.data.insert(HOLDER.to_owned(), holder);
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        self.open(record).await.map_err(theirs)
    }

    async fn save(&self, _: &Record) -> session_store::Result<()> {
        Ok(())
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        // The table alone decides about time; the layer's own date is never looked at.
        let expiry_date = time::OffsetDateTime::UNIX_EPOCH;
        let mut record = Record { id: *id, data: Default::default(), expiry_date };
        self.fill(&mut record).await.map_err(theirs)?;
        Ok((!record.data.is_empty()).then_some(record))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        let hash = hash(id);
        let ended = self
            .app
            .write(Actor::System, "people.sign_out", move |tx| sessions::end_by_hash(tx, &hash));
        ended.await.map_err(theirs)
    }
}

fn hash(id: &Id) -> SessionHash {
    Sha256::digest(id.0.to_le_bytes()).into()
}

/// Errors pass through the layer as text: those that a client acts upon by their code.
fn theirs(error: Error) -> session_store::Error {
    match error {
        Error::Busy | Error::StorageFailed(_) | Error::LoginFailed => {
            session_store::Error::Backend(error.code().into_owned())
        }
        other => session_store::Error::Backend(format!("{other:?}")),
    }
}

fn ours(error: tower_sessions::session::Error) -> Error {
    use tower_sessions::session::Error as Theirs;
    match &error {
        Theirs::Store(session_store::Error::Backend(code)) if *code == Error::Busy.code() => {
            Error::Busy
        }
        Theirs::Store(session_store::Error::Backend(code))
            if *code == Error::LoginFailed.code() =>
        {
            Error::LoginFailed
        }
        Theirs::Store(session_store::Error::Backend(code)) if code == "storage.failed" => {
            Error::StorageFailed(error.into())
        }
        _ => Error::Internal(error.into()),
    }
}

/// Puts the session of a request where handlers find it, and keeps the browser's cookie.
#[derive(Clone)]
pub struct Cookies {
    clear: SessionManagerLayer<Sessions>,
    secure: SessionManagerLayer<Sessions>,
}

impl Cookies {
    /// Returns those of this house's sessions.
    pub fn new(app: &App) -> Cookies {
        let layer = |name: &'static str, secure| {
            SessionManagerLayer::new(Sessions { app: app.clone() })
                .with_name(name)
                .with_secure(secure)
                .with_http_only(true)
                .with_same_site(SameSite::Lax)
        };
        Cookies { clear: layer("daybook", false), secure: layer("__Host-daybook", true) }
    }

    /// Says whether a request may have a session, or get one. What readers call gives none.
    pub fn may_matter(request: &Request) -> bool {
        request.headers().contains_key(header::COOKIE)
            || !request.uri().path().starts_with(readers::PATHS)
    }

    /// Calls `inner` with the request and its session. The connection says which of the two
    /// cookies counts.
    pub async fn around<S>(&self, request: Request, inner: S) -> Response
    where
        S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
    {
        let secure = request.extensions().get::<Peer>().is_some_and(|peer| peer.secure);
        let layer = if secure { &self.secure } else { &self.clear };
        let Ok(response) = layer.layer(inner).oneshot(request).await;
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn only_readers_without_a_cookie_have_nothing_to_do_with_sessions() {
        let request = |path: &str| Request::post(path).header("authorization", "Bearer R1.secret");
        for (request, may_matter) in [
            (request("/api/v1/device/scans"), false),
            (request("/api/v1/device/scans").header("cookie", "daybook=x"), true),
            (request("/api/v1/login"), true),
            (request("/sign-in"), true),
        ] {
            let request = request.body(Body::empty()).unwrap();
            assert_eq!(Cookies::may_matter(&request), may_matter, "{}", request.uri());
        }
    }
}
