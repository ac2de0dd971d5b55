//! Who calls, as the layers in front have found out.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::base::id::{DeviceId, DisplayId, PersonId};
use crate::base::{Actor, Error, Result, Timestamp};
use crate::domain::devices::Known;
use crate::domain::people::Role;
use crate::live::Holder;
use crate::live::watch::{Carrier, DeviceKind};

/// Who calls. Put into the request's extensions before the routes are asked.
#[derive(Debug, Clone)]
pub enum Principal {
    Person(SignedIn),
    Device(Reader),
    Display(Screen),
    /// The owner of the data directory, who has read its key there.
    Operator,
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
    /// Returns who acts; a display and an operator never do.
    pub fn actor(&self) -> Actor {
        match self {
            Principal::Person(who) => who.actor(),
            Principal::Device(reader) => reader.actor(),
            Principal::Display(_) | Principal::Operator => Actor::System,
        }
    }

    /// Returns the person; a device or a display is none.
    pub fn person(&self) -> Option<PersonId> {
        match self {
            Principal::Person(who) => Some(who.person),
            _ => None,
        }
    }

    /// Returns the name under which the caller's streams are ended.
    pub fn session(&self) -> String {
        match self {
            Principal::Person(who) => who.session.clone(),
            Principal::Display(screen) => screen.display.session(),
            Principal::Device(_) | Principal::Operator => String::new(),
        }
    }

    /// Returns who holds a stream that the caller opens now.
    pub fn holder(&self, carrier: Carrier, device: DeviceKind, since: Timestamp) -> Holder {
        Holder { person: self.person(), session: self.session(), carrier, device, since }
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
            None => Err(Error::KeyWrong),
        }
    }
}
