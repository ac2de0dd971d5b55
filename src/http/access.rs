//! Who may call a route: declared where the route is, enforced before its
//! handler, and written into the OpenAPI document (`x-may`), all from one value.
//!
//! What a caller may see *of* a resource (scope) is decided by the domain.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::ops::BitOr;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::Route;
use axum::routing::future::RouteFuture;
use tower::Service;
use tower::layer::layer_fn;
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt as _};

use super::signed_in::Principal;
use crate::app::App;
use crate::base::{Error, Result};
use crate::domain::people::Role;

/// A set of callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Who(u8);

impl Who {
    /// Everybody, signed in or not.
    pub const ANYONE: Who = Who(1);
    pub const ADMIN: Who = Who(2);
    pub const OFFICE: Who = Who(4);
    pub const STAFF: Who = Who(8);
    pub const MEMBER: Who = Who(16);
    /// A badge reader with its key.
    pub const DEVICE: Who = Who(32);
    /// A wall screen's token.
    pub const DISPLAY: Who = Who(64);
    /// The owner of the data directory, by the key that stands in it.
    pub const OPERATOR: Who = Who(128);
    /// All who work here.
    pub const TEAM: Who = Who(2 | 4 | 8);
    /// All people with an account.
    pub const PEOPLE: Who = Who(2 | 4 | 8 | 16);

    const WORDS: [(Who, &str); 8] = [
        (Who::ANYONE, "anyone"),
        (Who::ADMIN, "admin"),
        (Who::OFFICE, "office"),
        (Who::STAFF, "staff"),
        (Who::MEMBER, "member"),
        (Who::DEVICE, "device"),
        (Who::DISPLAY, "display"),
        (Who::OPERATOR, "operator"),
    ];

    /// Returns these and those.
    pub const fn and(self, other: Who) -> Who {
        Who(self.0 | other.0)
    }

    /// Says whether one of `other` is among them.
    pub fn has(self, other: Who) -> bool {
        self.0 & other.0 != 0
    }

    /// Returns the words that `daybook routes` and the document use.
    pub fn words(self) -> Vec<&'static str> {
        Who::WORDS.iter().filter(|(who, _)| self.has(*who)).map(|(_, word)| *word).collect()
    }
}

impl BitOr for Who {
    type Output = Who;

    fn bitor(self, other: Who) -> Who {
        self.and(other)
    }
}

impl From<&Principal> for Who {
    fn from(principal: &Principal) -> Who {
        match principal {
            Principal::Person(who) => match who.role {
                Role::Admin => Who::ADMIN,
                Role::Office => Who::OFFICE,
                Role::Staff => Who::STAFF,
                Role::Member => Who::MEMBER,
            },
            Principal::Device(_) => Who::DEVICE,
            Principal::Display(_) => Who::DISPLAY,
            Principal::Operator => Who::OPERATOR,
        }
    }
}

/// Lets only `who` pass to the handlers of `routes!(..)`.
pub fn may(who: Who, routes: UtoipaMethodRouter<App>) -> UtoipaMethodRouter<App> {
    let admission = layer_fn(move |route| Admission { who, route });
    let (schemas, mut paths, methods) = routes.map(|methods| methods.layer(admission));
    for item in paths.paths.values_mut() {
        let operations =
            [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            let words = serde_json::json!(who.words());
            let extensions =
                utoipa::openapi::extensions::ExtensionsBuilder::new().add("x-may", words).build();
            operation.extensions.get_or_insert_default().merge(extensions);
        }
    }
    (schemas, paths, methods)
}

type Answer = std::result::Result<Response, Infallible>;

/// A route that lets in only whom it may.
#[derive(Clone)]
struct Admission {
    who: Who,
    route: Route,
}

impl Admission {
    fn judge(&self, principal: Option<&Principal>) -> Result<()> {
        match principal {
            _ if self.who.has(Who::ANYONE) => Ok(()),
            // A reader signs nowhere in.
            None if self.who == Who::DEVICE => Err(Error::KeyWrong),
            None => Err(Error::SignedOut),
            Some(principal) if self.who.has(principal.into()) => Ok(()),
            Some(_) => Err(Error::Forbidden("access.role")),
        }
    }
}

impl Service<Request> for Admission {
    type Response = Response;
    type Error = Infallible;
    type Future = Admitted;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::result::Result<(), Infallible>> {
        // A route always is.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match self.judge(request.extensions().get::<Principal>()) {
            Ok(()) => Admitted::In(self.route.call(request)),
            Err(error) => Admitted::Out(ready(Ok(error.into_response()))),
        }
    }
}

/// What comes of a call.
enum Admitted {
    In(RouteFuture<Infallible>),
    Out(Ready<Answer>),
}

impl Future for Admitted {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        match &mut *self {
            Admitted::In(answer) => Pin::new(answer).poll(cx),
            Admitted::Out(refusal) => Pin::new(refusal).poll(cx),
        }
    }
}
