//! The shell that the scripts fill, and what all pages of the server are drawn with.
//!
//! The language and the look of a device are cookies that its pages write.

use askama::Template;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::listen::Peer;
use super::signed_in::Principal;
use super::{assets, displays, identify};
use crate::app::App;
use crate::base::Result;
use crate::domain::house::{self, House, Language};
use crate::domain::people;

/// The looks that a device may have; the first is the rule.
const THEMES: [&str; 4] = ["system", "light", "dark", "contrast"];

/// Where a wall screen hangs.
const WALL: &str = "/wall";

/// Declares one handler a path: each answers with the shell, for those who are signed in.
macro_rules! shells {
    ($($name:ident $path:literal)*) => {
        $(
            /// Returns the shell of the pages, or the way to the door.
            #[utoipa::path(get, path = $path, tag = "pages", responses(
                (status = 200, body = String, content_type = "text/html"),
                (status = 303, description = "nobody is signed in")))]
            async fn $name(
                State(app): State<App>,
                who: Option<Extension<Principal>>,
                uri: Uri,
                headers: HeaderMap,
                peer: Option<Extension<Peer>>,
            ) -> Result<Response> {
                let mut answer = shell(&app, who.map(|who| who.0), &uri, &headers).await?;
                if uri.path() == WALL && answer.status().is_success() {
                    keep_screen(&app, &headers, peer.as_deref(), answer.headers_mut())?;
                }
                Ok(answer)
            }
        )*

        /// The routes of this file.
        pub fn routes() -> OpenApiRouter<App> {
            OpenApiRouter::new()
                $(.routes(may(Who::ANYONE, routes!($name))))*
        }
    };
}

shells! {
    board "/"
    supervision "/supervision"
    group "/groups/{id}"
    help "/help"
    my_place "/my-place"
    people_list "/people"
    rooms "/rooms"
    devices "/devices"
    sessions "/sessions"
    wall "/wall"
}

/// What every page is drawn with.
pub(super) struct Look {
    pub lang: Language,
    pub theme: &'static str,
}

impl Look {
    /// Decides the language (this device's, then the person's or the browser's, then the
    /// house's) and the look.
    pub fn of(headers: &HeaderMap, person: Option<Language>, house: Option<Language>) -> Look {
        let lang = chosen(headers).or(person).or_else(|| accepted(headers)).or(house);
        let theme = cookie(headers, "daybook_theme").unwrap_or_default();
        let theme = THEMES.into_iter().find(|known| *known == theme).unwrap_or(THEMES[0]);
        Look { lang: lang.unwrap_or(Language::En), theme }
    }

    /// Returns a text of the doors' catalogue.
    pub fn t(&self, key: &str) -> &'static str {
        word(self.lang, key)
    }

    /// Returns the file of the words that the pages' scripts speak.
    pub fn catalogue(&self) -> &'static str {
        match self.lang {
            Language::De => "text/de.ftl",
            Language::En => "text/en.ftl",
        }
    }

    /// Returns the word for a kind of house.
    pub fn profile(&self, kind: &str) -> &'static str {
        self.t(&format!("profile-{kind}"))
    }

    /// Returns the language that the look is not in.
    pub fn other(&self) -> Language {
        match self.lang {
            Language::De => Language::En,
            Language::En => Language::De,
        }
    }
}

/// Returns the path of a page's file.
pub(super) fn url(name: &str) -> String {
    assets::url(name)
}

/// Returns the house's mark as an address that needs no fetch of its own.
pub(super) fn mark() -> String {
    let mut url = "data:image/svg+xml,".to_owned();
    for letter in include_str!("../../assets/icon.svg").trim().chars() {
        match letter {
            '#' => url.push_str("%23"),
            '%' => url.push_str("%25"),
            '"' => url.push('\''),
            other => url.push(other),
        }
    }
    url
}

/// The frame that the scripts fill.
#[derive(Template)]
#[template(path = "index.html")]
struct Shell {
    look: Look,
    house: House,
}

async fn shell(
    app: &App,
    who: Option<Principal>,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Response> {
    let person = match &who {
        Some(Principal::Person(who)) => Some(who.person),
        Some(Principal::Display(_)) if uri.path() != WALL => {
            return Ok(Redirect::to(WALL).into_response());
        }
        Some(Principal::Display(_)) => None,
        Some(Principal::Device(_) | Principal::Operator) | None => {
            // A screen that was one shows digits again; nobody sits there to sign in.
            if uri.path() == WALL && identify::display_cookie(headers).is_some() {
                return Ok(Redirect::to("/pair").into_response());
            }
            return to_door(app, uri).await;
        }
    };
    let (house, language) = app
        .read(move |conn| {
            let person = person.map(|person| people::queries::find(conn, person)).transpose()?;
            Ok((house::queries::house(conn)?, person.and_then(|person| person.language)))
        })
        .await?;
    let look = Look::of(headers, language.or(Some(house.language)), None);
    page(StatusCode::OK, &Shell { look, house })
}

/// Has a wall screen stay one, in its language, for another year: nobody would pair it anew in time.
fn keep_screen(
    app: &App,
    headers: &HeaderMap,
    peer: Option<&Peer>,
    out: &mut HeaderMap,
) -> Result<()> {
    let Some(kept) = displays::keeping_on(app, headers, peer)? else { return Ok(()) };
    out.extend(kept);
    if let Some(lang) = chosen(headers) {
        out.append(header::SET_COOKIE, keeping_language(lang));
    }
    Ok(())
}

/// Has this device keep the language that was chosen on it.
pub(super) fn keeping_language(lang: Language) -> HeaderValue {
    HeaderValue::from_static(match lang {
        Language::De => "daybook_lang=de; Path=/; Max-Age=31536000; SameSite=Lax",
        Language::En => "daybook_lang=en; Path=/; Max-Age=31536000; SameSite=Lax",
    })
}

/// Remembers the language of this device and goes on.
pub(super) fn speaking(lang: Language, to: &str) -> Response {
    ([(header::SET_COOKIE, keeping_language(lang))], Redirect::to(to)).into_response()
}

/// Sends a browser to the door, and back where it wanted to go afterwards.
async fn to_door(app: &App, uri: &Uri) -> Result<Response> {
    if app.read(people::setup::needed).await? {
        return Ok(Redirect::to("/setup").into_response());
    }
    let wanted = uri.path_and_query().map_or("/", |wanted| wanted.as_str());
    Ok(Redirect::to(&format!("/sign-in?next={}", encoded(wanted))).into_response())
}

/// Draws a page. It is never kept: who is signed in may change at any time.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Result<Response> {
    let text = template.render().map_err(anyhow::Error::from)?;
    Ok((status, [(header::CACHE_CONTROL, "no-store")], Html(text)).into_response())
}

/// Returns `path` if it leads to a page of this house, else the way to the first.
pub(super) fn inside(path: &str) -> &str {
    let safe = path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if safe { path } else { "/" }
}

/// Returns a path as the value of a query field.
pub(super) fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                text.push(byte.into());
            }
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|all| all.to_str().ok());
    let mut pairs =
        cookies.flat_map(|all| all.split(';')).filter_map(|one| one.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// Returns the language that was chosen on this device.
fn chosen(headers: &HeaderMap) -> Option<Language> {
    cookie(headers, "daybook_lang")?.parse().ok()
}

/// Returns the first language of the browser that the pages speak.
fn accepted(headers: &HeaderMap) -> Option<Language> {
    let wanted = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    wanted.split(',').find_map(|one| one.trim().get(..2)?.to_ascii_lowercase().parse().ok())
}

/// Returns a text of the doors' catalogue.
fn word(lang: Language, key: &str) -> &'static str {
    let catalogue = match lang {
        Language::De => include_str!("../../assets/text/de.door.ftl"),
        Language::En => include_str!("../../assets/text/en.door.ftl"),
    };
    let mut lines = catalogue.lines().filter_map(|line| line.split_once(" = "));
    lines.find(|(known, _)| *known == key).map_or("", |(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_survives_its_way_through_a_query() {
        assert_eq!(encoded("/people?q=a&b=c%20ü"), "/people%3Fq%3Da%26b%3Dc%2520%C3%BC");
    }

    #[test]
    fn the_way_back_never_leads_out_of_the_house() {
        for inner in ["/", "/help?only=urgent", "/groups/3", "/people?q=M%C3%BC"] {
            assert_eq!(inside(inner), inner);
        }
        for outer in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "help", "/\t/x"]
        {
            assert_eq!(inside(outer), "/", "{outer}");
        }
    }

    #[test]
    fn the_files_of_the_shell_are_served() {
        for name in ["app.js", "screens.css", "text/de.ftl"] {
            assert!(assets::find(name).is_some(), "{name}");
        }
    }

    #[test]
    fn the_language_is_that_of_the_device_then_the_browser_then_the_house() {
        let headers = |pairs: &[(header::HeaderName, &'static str)]| -> HeaderMap {
            pairs.iter().map(|(k, v)| (k.clone(), HeaderValue::from_static(v))).collect()
        };
        let look = |pairs: &_| Look::of(&headers(pairs), None, Some(Language::De));
        assert_eq!(look(&[]).lang, Language::De);
        assert_eq!(look(&[(header::ACCEPT_LANGUAGE, "fr-FR, en;q=0.8")]).lang, Language::En);
        let chosen = [
            (header::ACCEPT_LANGUAGE, "en"),
            (header::COOKIE, "a=b; daybook_lang=de; daybook_theme=dark"),
        ];
        assert_eq!((look(&chosen).lang, look(&chosen).theme), (Language::De, "dark"));
        assert_eq!(look(&[(header::COOKIE, "daybook_theme=\"><script>")]).theme, "system");
    }
}
