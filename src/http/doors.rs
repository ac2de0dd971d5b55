//! The doors of the house: signing in and the first start, as forms that work without a script.
//! They call what the JSON API calls.

use askama::Template;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use tower_sessions::Session;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Form, Query};
use super::held::Held;
use super::identify;
use super::listen::Peer;
use super::pages::{Look, encoded, inside, keeping_language, mark, page, speaking, url};
use super::session;
use super::setup::{self, NewSetup};
use super::sign_in::{self, Attempts};
use super::signed_in::Principal;
use crate::app::App;
use crate::base::{Error, Result};
use crate::domain::house::{self, Hours, House, Language, Profile};
use crate::domain::people;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::ANYONE, routes!(show_sign_in, sign_in)))
        .routes(may(Who::ANYONE, routes!(sign_out)))
        .routes(may(Who::ANYONE, routes!(show_setup, set_up)))
        .routes(may(Who::ANYONE, routes!(pair)))
        .routes(may(Who::ANYONE, routes!(show_kiosk)))
}

/// What a door is asked with.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Ask {
    /// Where to go afterwards; a path of this house.
    next: Option<String>,
    /// The language that this device shall show from now on.
    lang: Option<Language>,
}

/// The door of a house that is set up.
#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignInPage {
    look: Look,
    house: String,
    next: String,
    username: String,
    problem: Option<&'static str>,
}

impl SignInPage {
    async fn new(app: &App, headers: &HeaderMap, next: Option<&str>) -> Result<SignInPage> {
        let house = app.read(house::queries::house).await?;
        let look = Look::of(headers, None, Some(house.language));
        let next = inside(next.unwrap_or("/")).to_owned();
        Ok(SignInPage { look, house: house.name, next, username: String::new(), problem: None })
    }
}

/// Shows the sign-in form.
#[utoipa::path(get, path = "/sign-in", tag = "pages", params(Ask), responses(
    (status = 200, body = String, content_type = "text/html"),
    (status = 303, description = "somebody is signed in, or the house waits for its set-up")))]
async fn show_sign_in(
    State(app): State<App>,
    who: Option<Extension<Principal>>,
    headers: HeaderMap,
    Query(ask): Query<Ask>,
) -> Result<Response> {
    if let Some(lang) = ask.lang {
        let next = encoded(inside(ask.next.as_deref().unwrap_or("/")));
        return Ok(speaking(lang, &format!("/sign-in?next={next}")));
    }
    if app.read(people::setup::needed).await? {
        return Ok(Redirect::to("/setup").into_response());
    }
    if matches!(who, Some(Extension(Principal::Person(_)))) {
        return Ok(Redirect::to(inside(ask.next.as_deref().unwrap_or("/"))).into_response());
    }
    page(StatusCode::OK, &SignInPage::new(&app, &headers, ask.next.as_deref()).await?)
}

/// A sign-in by form.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    username: String,
    password: String,
    next: Option<String>,
}

/// Signs in by the form, and goes where the browser wanted to go; asked for a language, shows the name
/// that was typed in that language instead, and looks at no password.
#[utoipa::path(post, path = "/sign-in", tag = "pages", params(Ask),
    request_body(content = SignIn, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html"), (status = 303),
        (status = 401, body = String, content_type = "text/html"),
        (status = 429, body = String, content_type = "text/html")))]
async fn sign_in(
    State(app): State<App>,
    Held(attempts): Held<Attempts>,
    peer: Option<Extension<Peer>>,
    session: Session,
    headers: HeaderMap,
    Query(ask): Query<Ask>,
    Form(form): Form<SignIn>,
) -> Result<Response> {
    let SignIn { username, password, next } = form;
    if let Some(lang) = ask.lang {
        let mut form = SignInPage::new(&app, &headers, next.as_deref()).await?;
        (form.username, form.look.lang) = (username, lang);
        let kept = [(header::SET_COOKIE, keeping_language(lang))];
        return Ok((kept, page(StatusCode::OK, &form)?).into_response());
    }
    let checked =
        sign_in::check(&app, &attempts, peer.as_deref(), username.clone(), password).await;
    let error = match checked {
        Ok(person) => {
            sign_in::sign_in(&app, &session, person, &headers).await?;
            return Ok(Redirect::to(inside(next.as_deref().unwrap_or("/"))).into_response());
        }
        Err(error) => error,
    };
    let (status, key) = match error {
        Error::LoginFailed => (StatusCode::UNAUTHORIZED, "sign-in-failed"),
        Error::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "sign-in-too-many"),
        other => return Err(other),
    };
    let mut form = SignInPage::new(&app, &headers, next.as_deref()).await?;
    form.username = username;
    form.problem = Some(form.look.t(key));
    Ok((when_again(&error), page(status, &form)?).into_response())
}

/// Says to a program when to come again, if somebody has tried too often.
fn when_again(error: &Error) -> HeaderMap {
    let Error::TooMany { retry_after_s, .. } = error else { return HeaderMap::new() };
    HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from(*retry_after_s))])
}

/// Signs out by the form in the pages' frame.
#[utoipa::path(post, path = "/sign-out", tag = "pages", responses((status = 303)))]
async fn sign_out(session: Session) -> Result<Redirect> {
    session::sign_out(&session).await?;
    Ok(Redirect::to("/sign-in"))
}

/// The page of a tablet that is a badge reader. It knows the house's name and nothing more: the
/// tablet shows its own key at the interface.
#[derive(Template)]
#[template(path = "kiosk.html")]
struct KioskPage {
    look: Look,
    house: House,
    version: &'static str,
}

/// Shows the page of a kiosk; nobody is signed in there.
#[utoipa::path(get, path = "/kiosk", tag = "pages", responses(
    (status = 200, body = String, content_type = "text/html"),
    (status = 303, description = "the house waits for its set-up")))]
async fn show_kiosk(State(app): State<App>, headers: HeaderMap) -> Result<Response> {
    if app.read(people::setup::needed).await? {
        return Ok(Redirect::to("/setup").into_response());
    }
    let house = app.read(house::queries::house).await?;
    let look = Look::of(&headers, None, Some(house.language));
    let version = env!("CARGO_PKG_VERSION");
    page(StatusCode::OK, &KioskPage { look, house, version })
}

/// The door of a house that nobody has set up yet.
#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage {
    look: Look,
    /// What was typed before, so that an error costs no typing.
    form: Option<NewSetup>,
    problem: Option<&'static str>,
    done: bool,
}

impl SetupPage {
    /// Says whether this kind of house was chosen before.
    fn is_kind(&self, kind: &str) -> bool {
        self.form.as_ref().is_some_and(|form| form.profile.word() == kind)
    }

    /// Returns what hours each kind of house has if nobody says other ones.
    fn usual(&self) -> Vec<(&'static str, Hours)> {
        let of = |kind: Profile| (self.look.profile(kind.word()), kind.hours());
        [Profile::School, Profile::Club, Profile::Clinic].map(of).into()
    }

    /// Returns the language that the form proposes for the house.
    fn spoken(&self) -> &'static str {
        self.form.as_ref().map_or(self.look.lang, |form| form.language).word()
    }
}

/// Shows the form of the first start.
#[utoipa::path(get, path = "/setup", tag = "pages", params(Ask), responses(
    (status = 200, body = String, content_type = "text/html"),
    (status = 410, body = String, content_type = "text/html")))]
async fn show_setup(
    State(app): State<App>,
    headers: HeaderMap,
    Query(ask): Query<Ask>,
) -> Result<Response> {
    if let Some(lang) = ask.lang {
        return Ok(speaking(lang, "/setup"));
    }
    let done = !app.read(people::setup::needed).await?;
    let look = Look::of(&headers, None, None);
    let problem = done.then(|| look.t("setup-done"));
    let status = if done { StatusCode::GONE } else { StatusCode::OK };
    page(status, &SetupPage { look, form: None, problem, done })
}

/// Sets the house up by the form and signs its first admin in; asked for a language, shows what was
/// typed in that language instead, all but the password.
#[utoipa::path(post, path = "/setup", tag = "pages", params(Ask),
    request_body(content = NewSetup, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html"), (status = 303),
        (status = 403, body = String, content_type = "text/html"),
        (status = 409, body = String, content_type = "text/html"),
        (status = 410, body = String, content_type = "text/html"),
        (status = 422, body = String, content_type = "text/html"),
        (status = 429, body = String, content_type = "text/html")))]
async fn set_up(
    State(app): State<App>,
    Held(attempts): Held<Attempts>,
    peer: Option<Extension<Peer>>,
    session: Session,
    headers: HeaderMap,
    Query(ask): Query<Ask>,
    Form(mut form): Form<NewSetup>,
) -> Result<Response> {
    let mut look = Look::of(&headers, None, None);
    if let Some(lang) = ask.lang {
        // The language proposed for the house was that of the page; another one was chosen.
        form.language = if form.language == look.lang { lang } else { form.language };
        look.lang = lang;
        let done = !app.read(people::setup::needed).await?;
        let problem = done.then(|| look.t("setup-done"));
        let form = SetupPage { look, form: Some(form), problem, done };
        let kept = [(header::SET_COOKIE, keeping_language(lang))];
        return Ok((kept, page(StatusCode::OK, &form)?).into_response());
    }
    let error = match setup::found(&app, &attempts, peer.as_deref(), form.clone()).await {
        Ok(person) => {
            sign_in::sign_in(&app, &session, person, &headers).await?;
            return Ok(Redirect::to("/").into_response());
        }
        Err(error) => error,
    };
    let Some((status, key)) = setup_problem(&error) else { return Err(error) };
    let (done, problem) = (status == StatusCode::GONE, Some(look.t(key)));
    let form = SetupPage { look, form: Some(form), problem, done };
    Ok((when_again(&error), page(status, &form)?).into_response())
}

/// Returns what the form says of an error, as a key of the doors' catalogue: texts of the interface
/// are English, and for programs. None is said of what is no fault of who fills the form in.
fn setup_problem(error: &Error) -> Option<(StatusCode, &'static str)> {
    let said = match error {
        Error::Forbidden(_) => (StatusCode::FORBIDDEN, "setup-code-wrong"),
        Error::Gone { .. } => (StatusCode::GONE, "setup-done"),
        Error::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "sign-in-too-many"),
        Error::Conflict { .. } => (StatusCode::CONFLICT, "username-taken"),
        Error::Invalid { field, .. } => {
            let key = match field.as_ref() {
                "house_name" => "house-name-wrong",
                "zone" => "zone-wrong",
                "late_after" | "closes_at" => "hours-wrong",
                "display_name" | "given_name" | "family_name" => "your-name-wrong",
                "username" => "username-wrong",
                "password" => "password-wrong",
                _ => "setup-wrong",
            };
            (StatusCode::UNPROCESSABLE_ENTITY, key)
        }
        _ => return None,
    };
    Some(said)
}

/// What a wall screen shows until the lead has let it in.
#[derive(Template)]
#[template(path = "pair.html")]
struct PairPage {
    look: Look,
    house: String,
}

/// Shows the digits that make this browser a wall screen.
#[utoipa::path(get, path = "/pair", tag = "pages", params(Ask), responses(
    (status = 200, body = String, content_type = "text/html"),
    (status = 303, description = "it is one, or the house waits for its set-up")))]
async fn pair(
    State(app): State<App>,
    headers: HeaderMap,
    Query(ask): Query<Ask>,
) -> Result<Response> {
    if let Some(lang) = ask.lang {
        return Ok(speaking(lang, "/pair"));
    }
    if app.read(people::setup::needed).await? {
        return Ok(Redirect::to("/setup").into_response());
    }
    if identify::screen(&app, &headers).is_some() {
        return Ok(Redirect::to("/wall").into_response());
    }
    let house = app.read(house::queries::house).await?;
    let look = Look::of(&headers, None, Some(house.language));
    page(StatusCode::OK, &PairPage { look, house: house.name })
}
