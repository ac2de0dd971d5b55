//! Who calls, as the layers in front have found out.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::base::id::{DeviceId, DisplayId, PersonId};
use crate::base::{Actor, Error, Result};
use crate::domain::devices::Known;
use crate::domain::people::Role;
use crate::live::Holder;

/// Who calls. Put into the request's extensions before the routes are asked.
#[derive(Debug, Clone)]
pub enum Principal {
    Person(SignedIn),
    Device(Reader),
    Display(Screen),
}

/// A person with a login session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub person: PersonId,
    pub role: Role,
    /// The session's public id.
    pub session: String,
}

impl SignedIn {
    /// Returns the person as the one who acts.
    pub fn actor(&self) -> Actor {
        Actor::Person(self.person)
    }
}

/// A badge reader that has shown its key.
#[derive(Debug, Clone, Copy)]
pub struct Reader(pub Known);

/// A wall screen that has shown its token.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    pub display: DisplayId,
}

impl Reader {
    /// Returns the device.
    pub fn device(self) -> DeviceId {
        self.0.scanner.device
    }

    /// Returns the device as the one who acts.
    pub fn actor(self) -> Actor {
        Actor::Device(self.device())
    }
}

impl Principal {
    /// Returns who acts; a display never does.
    pub fn actor(&self) -> Actor {
        match self {
            Principal::Person(who) => who.actor(),
            Principal::Device(reader) => reader.actor(),
            Principal::Display(_) => Actor::System,
        }
    }

    /// Returns what may end the caller's streams.
    pub fn holder(&self) -> Holder {
        match self {
            Principal::Person(who) => {
                Holder { person: Some(who.person), session: who.session.clone() }
            }
            Principal::Device(_) => Holder { person: None, session: String::new() },
            Principal::Display(screen) => {
                Holder { person: None, session: screen.display.session() }
            }
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Principal> {
        parts.extensions.get::<Principal>().cloned().ok_or(Error::SignedOut)
    }
}

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<SignedIn> {
        match parts.extensions.get::<Principal>() {
            Some(Principal::Person(who)) => Ok(who.clone()),
            Some(_) => Err(Error::Forbidden("access.role")),
            None => Err(Error::SignedOut),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Reader> {
        match parts.extensions.get::<Principal>() {
            Some(Principal::Device(reader)) => Ok(*reader),
            Some(_) => Err(Error::Forbidden("access.role")),
            None => Err(Error::SignedOut),
        }
    }
}
