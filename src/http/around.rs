//! What stands around every route: the guard, then who calls, by a key or by a session.
//!
//! It is one layer, written by hand. A layer made of a function copies all that it stands around
//! for each request and keeps its own work in a box; four of them, and one for each thing that
//! handlers share, were a good part of what a reader's request cost.

use std::convert::Infallible;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::Route;
use axum::routing::future::RouteFuture;
use tower::{Layer, Service, service_fn};

use super::guard::{self, Guard};
use super::held::Fixtures;
use super::identify::{self, Shown};
use super::online;
use super::session::Cookies;
use crate::app::App;

/// The layer around all routes. Clones are the same one.
#[derive(Clone)]
pub struct Around(Arc<Parts>);

struct Parts {
    app: App,
    guard: Guard,
    cookies: Cookies,
    fixtures: Fixtures,
}

impl Around {
    /// Returns the layer of this house.
    pub fn new(app: App, guard: Guard, fixtures: Fixtures) -> Around {
        let cookies = Cookies::new(&app);
        Around(Arc::new(Parts { app, guard, cookies, fixtures }))
    }
}

impl Layer<Route> for Around {
    type Service = Surrounded;

    fn layer(&self, route: Route) -> Surrounded {
        Surrounded { around: self.clone(), route: Arc::new(route) }
    }
}

/// A route with all that stands around it.
#[derive(Clone)]
pub struct Surrounded {
    around: Around,
    /// Shared until it is called: to clone a route is to clone each box in it.
    route: Arc<Route>,
}

impl Service<Request> for Surrounded {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    /// Begins before anything is kept for later: what is `async` keeps room for each request that
    /// it is given, and for each place that it hands it on to.
    fn call(&mut self, mut request: Request) -> Self::Future {
        let parts = self.around.0.clone();
        let entry = parts.guard.enter(&request);
        if let Err(problem) = parts.guard.admit(&mut request) {
            return Box::pin(ready(Ok(parts.guard.finish(entry, guard::refused(problem)))));
        }
        let mut led = parts.lead(request, Route::clone(&self.route));
        Box::pin(async move {
            let answer = guard::bounded(Pin::new(&mut led)).await;
            Ok(parts.guard.finish(entry, answer))
        })
    }
}

impl Parts {
    /// Leads a request that the guard has let in to its route.
    fn lead(self: &Arc<Parts>, mut request: Request, mut route: Route) -> Led {
        request.extensions_mut().insert(self.fixtures.clone());
        let shown = identify::shown(&self.app, request.headers());
        if Cookies::may_matter(&request) || shown.is_new() {
            return Led::Later(Box::pin(self.clone().ask(request, shown, route)));
        }
        shown.put_on(&mut request);
        Led::AtOnce(route.call(request))
    }

    /// Leads there one for whose caller the database must be asked.
    async fn ask(self: Arc<Parts>, request: Request, shown: Shown, route: Route) -> Response {
        let app = self.app.clone();
        let inner = service_fn(move |mut request| {
            let (app, shown, mut route) = (app.clone(), shown.clone(), route.clone());
            async move {
                if let Err(error) = identify::identify(&app, &mut request, shown).await {
                    return Ok(error.into_response());
                }
                online::notice(&app, &request);
                route.call(request).await
            }
        });
        self.cookies.around(request, inner).await
    }
}

/// A request on its way to its route.
#[expect(clippy::large_enum_variant, reason = "the large one is the usual one")]
enum Led {
    /// It is there: nobody had to be asked, as with most that readers send.
    AtOnce(RouteFuture<Infallible>),
    Later(Pin<Box<dyn Future<Output = Response> + Send>>),
}

impl Future for Led {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response> {
        match &mut *self {
            Led::AtOnce(answer) => Pin::new(answer).poll(cx).map(|Ok(response)| response),
            Led::Later(answer) => answer.as_mut().poll(cx),
        }
    }
}
