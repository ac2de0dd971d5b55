//! The pages' files, inside the binary, compressed when it was built. Their path carries the hash
//! of all of them (`/a/<version>/app.js`), so relative imports stay inside one version, a browser
//! keeps a file for ever and a new server never meets an old file. Ranges are answered with the
//! whole file, as RFC 9110 allows.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[cfg(test)]
#[path = "join.rs"]
mod join;

use super::access::{Who, may};
use super::extract::Path;
use crate::app::App;
use crate::base::{Error, Result};

/// What is served, by the end of its name.
const SERVED: [(&str, &str); 8] = [
    ("css", "text/css; charset=utf-8"),
    ("ftl", "text/plain; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("webmanifest", "application/manifest+json"),
    ("woff2", "font/woff2"),
];

/// The version of all files together.
const VERSION: &str = env!("ASSETS_VERSION");

// `Packed`, what `build.rs` packed: every file, and beside it the compressed forms that are
// smaller. The folder is named in full: naming it by a variable would bring in six crates more.
include!(concat!(env!("OUT_DIR"), "/packed.rs"));

/// One file, in the forms that were packed.
pub struct File {
    content_type: &'static str,
    /// The hash of the plain bytes.
    etag: String,
    plain: Cow<'static, [u8]>,
    br: Option<Cow<'static, [u8]>>,
    gz: Option<Cow<'static, [u8]>>,
}

/// Returns the path of a file for a page, such as `/a/1f0c…/app.js`.
pub fn url(name: &str) -> String {
    format!("/a/{VERSION}/{name}")
}

/// Returns the file of that name.
pub fn find(name: &str) -> Option<File> {
    let (_, end) = name.rsplit_once('.')?;
    let (_, content_type) = SERVED.iter().find(|(known, _)| *known == end)?;
    let plain = Packed::get(name)?;
    let form = |coding: &str| Packed::get(&format!("{name}.{coding}")).map(|form| form.data);
    let hash = plain.metadata.sha256_hash();
    let etag = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Some(File { content_type, etag, plain: plain.data, br: form("br"), gz: form("gz") })
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(may(Who::ANYONE, routes!(show)))
}

/// One of the pages' files. It never changes under its path.
#[utoipa::path(
    get,
    path = "/a/{version}/{*name}",
    tag = "pages",
    params(("version" = String, Path), ("name" = String, Path)),
    responses(
        (status = 200, description = "The file, compressed as the client takes it"),
        (status = 304, description = "The client has it")
    )
)]
async fn show(
    Path((version, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response> {
    match find(&name) {
        Some(file) if version == VERSION => Ok(file.answer(&headers)),
        _ => Err(Error::NotFound("asset")),
    }
}

impl File {
    /// Answers with the smallest form that the client takes, or 304 when it has that one.
    fn answer(self, headers: &HeaderMap) -> Response {
        let (body, encoding) = match (self.br, self.gz) {
            (Some(body), _) if accepts(headers, "br") => (body, Some("br")),
            (_, Some(body)) if accepts(headers, "gzip") => (body, Some("gzip")),
            _ => (self.plain, None),
        };
        let etag = match encoding {
            Some(encoding) => format!("\"{}-{encoding}\"", self.etag),
            None => format!("\"{}\"", self.etag),
        };
        let has_it = holds(headers, &etag);
        let mut answer = if has_it {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let kind = HeaderValue::from_static(self.content_type);
            ([(header::CONTENT_TYPE, kind)], body).into_response()
        };
        let out = answer.headers_mut();
        out.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        );
        out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            out.insert(header::ETAG, etag);
        }
        if let (Some(encoding), false) = (encoding, has_it) {
            out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        answer
    }
}

/// Whether `Accept-Encoding` allows `coding`: named, or covered by `*`, and not with `q=0`.
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let mut by_star = false;
    for value in headers.get_all(header::ACCEPT_ENCODING) {
        for item in value.to_str().unwrap_or_default().split(',') {
            let mut parts = item.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let weight = parts.find_map(|p| p.strip_prefix("q=")).map(str::parse::<f32>);
            let wanted = !matches!(weight, Some(Ok(0.0) | Err(_)));
            if name.eq_ignore_ascii_case(coding) {
                return wanted;
            }
            if name == "*" {
                by_star = wanted;
            }
        }
    }
    by_star
}

/// Whether `If-None-Match` names this form of the file.
fn holds(headers: &HeaderMap, etag: &str) -> bool {
    let given = headers.get_all(header::IF_NONE_MATCH).iter();
    given.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|tag| {
        let tag = tag.trim();
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Write as _;

    use super::*;

    fn file() -> File {
        let form = |bytes: &'static [u8]| Some(Cow::Borrowed(bytes));
        File {
            content_type: "text/javascript; charset=utf-8",
            etag: "1f".to_owned(),
            plain: Cow::Borrowed(b"plain plain"),
            br: form(b"br"),
            gz: form(b"gz"),
        }
    }

    fn ask(pairs: &[(header::HeaderName, &'static str)]) -> (u16, Option<String>, String) {
        let headers: HeaderMap =
            pairs.iter().map(|(k, v)| (k.clone(), HeaderValue::from_static(v))).collect();
        let answer = file().answer(&headers);
        let text = |name| answer.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        (
            answer.status().as_u16(),
            text(header::CONTENT_ENCODING),
            text(header::ETAG).unwrap_or_default(),
        )
    }

    #[test]
    fn the_smallest_form_that_the_client_takes_is_sent() {
        for (accept, encoding) in [
            ("gzip, deflate, br, zstd", Some("br")),
            ("gzip", Some("gzip")),
            ("br;q=0, gzip;q=0.5", Some("gzip")),
            ("*", Some("br")),
            ("*;q=0", None),
            ("identity", None),
            ("br;q=many", None),
            ("", None),
        ] {
            let (status, used, _) = ask(&[(header::ACCEPT_ENCODING, accept)]);
            assert_eq!((status, used.as_deref()), (200, encoding), "{accept}");
        }
    }

    #[test]
    fn a_form_that_the_client_has_is_not_sent_again() {
        let br = (header::ACCEPT_ENCODING, "br");
        for (held, status) in
            [("\"1f-br\"", 304), ("W/\"1f-br\"", 304), ("*", 304), ("\"1f\"", 200)]
        {
            let (got, encoding, etag) = ask(&[br.clone(), (header::IF_NONE_MATCH, held)]);
            assert_eq!((got, etag.as_str()), (status, "\"1f-br\""), "{held}");
            assert_eq!(encoding.is_some(), status == 200);
        }
    }

    #[test]
    fn every_file_is_found_and_its_compressed_forms_only_as_such() {
        let (forms, files): (Vec<_>, Vec<_>) =
            Packed::iter().partition(|name| name.ends_with(".br") || name.ends_with(".gz"));
        assert!(files.len() > 20 && forms.len() > 20, "{files:?}");
        for name in files {
            assert!(find(&name).is_some(), "{name} has no content type");
        }
        for name in forms {
            assert!(find(&name).is_none(), "{name}");
        }
        assert!(find("app.js").is_some_and(|file| file.br.is_some() && file.gz.is_some()));
    }

    const SHELL: &str = include_str!("../../../assets/index.html");
    const KIOSK: &str = include_str!("../../../assets/kiosk.html");
    const KIB: usize = 1024;

    fn text(name: &str) -> String {
        let file = find(name).unwrap_or_else(|| panic!("{name} is not packed"));
        String::from_utf8(file.plain.into_owned()).unwrap()
    }

    /// The files that stand between `before` and the next quote, each time.
    fn named(text: &str, before: &str) -> Vec<String> {
        let after = text.split(before).skip(1);
        after.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
    }

    fn brotli(bytes: &[u8]) -> usize {
        let mut small = Vec::new();
        brotli::CompressorWriter::new(&mut small, 4096, 11, 22).write_all(bytes).unwrap();
        small.len()
    }

    /// What each file takes over the wire, as a release packs it.
    fn weights() -> BTreeMap<String, usize> {
        let files = Packed::iter().filter_map(|name| Some((name.to_string(), find(&name)?.plain)));
        let weight = |(name, plain): (String, Cow<'_, [u8]>)| {
            let packed = name.ends_with("woff2");
            let weight = if packed { plain.len() } else { brotli(&plain) };
            (name, weight)
        };
        files.map(weight).collect()
    }

    /// For a tablet on a poor wireless network.
    #[test]
    fn a_first_visit_of_any_screen_stays_within_its_budget() {
        let weights = weights();
        let weigh = |names: &[&str]| names.iter().map(|&name| weights[name]).sum::<usize>();
        let require_light = |screen: &str, first: &[&str], styles: usize, rest: usize| {
            let scripts = weigh(first);
            assert!(scripts <= 30 * KIB, "{screen}: {scripts} bytes of script");
            assert!(styles <= 20 * KIB, "{screen}: {styles} bytes of style");
            let all = scripts + styles + rest;
            assert!(all <= 90 * KIB, "{screen}: {all} bytes in all");
        };
        let every = weigh(&["vendor/hyper-latin.woff2", "vendor/icons.svg"]);
        let styles = weigh(&["screens.css"]);
        let rest = every + weigh(&["text/de.ftl"]) + brotli(SHELL.as_bytes());
        let screens = named(&text("app.js"), "import(\"./");
        assert!(screens.len() > 10, "{screens:?}");
        for screen in screens {
            require_light(&screen, &["app.js", &screen], styles, rest);
        }
        let styles = weigh(&["kiosk.css"]);
        let rest = every + weigh(&["text/de.kiosk.ftl"]) + brotli(KIOSK.as_bytes());
        require_light("the kiosk", &["kiosk.js"], styles, rest);
    }

    #[test]
    fn what_only_readers_of_our_scripts_and_styles_need_is_not_sent() {
        for name in Packed::iter().filter(|name| name.ends_with(".js") || name.ends_with(".css")) {
            if name.starts_with("vendor/") {
                continue;
            }
            for line in text(&name).lines() {
                let idle =
                    line.is_empty() || ["//", "/*", " "].iter().any(|it| line.starts_with(it));
                assert!(!idle, "{name}: {line}");
            }
        }
    }
}
