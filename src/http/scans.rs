//! Scans of badge readers: the hot path.
//!
//! A call is one write, whatever number of scans it brings: all of them are
//! kept, or none is. What a scan means is decided by `domain/visits/scan.rs`;
//! nothing is read from the database before the write.

use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Form, Json, Query, whole};
use super::held::Held;
use super::readers::Rates;
use super::signed_in::Reader;
use crate::app::App;
use crate::base::id::RoomId;
use crate::base::ulid::ulid;
use crate::base::{Error, Result, Timestamp, secret};
use crate::domain::devices::{self, Intent};
use crate::domain::help;
use crate::domain::house::Language;
use crate::domain::people::rules;
use crate::domain::visits::scan::{Scan, ScanResult, When};

/// How many scans a call brings at the most.
const SCANS_MAX: usize = 100;

/// How many characters the id of a scan has at the most; a ULID has 26.
const SCAN_ID_MAX: usize = 64;

/// Why a text is no number of a badge.
const NO_TAG: &str = "must be 4 to 20 bytes in hex, or 4 to 40 printable characters";

/// Returns the routes that take scans.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::DEVICE, routes!(scans)))
        .routes(may(Who::DEVICE, routes!(tap)))
}

/// A reader one of whose scans has been counted, before its body was looked at.
struct Counted(Reader);

impl<S: Sync> FromRequestParts<S> for Counted {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Counted> {
        let reader = Reader::from_request_parts(parts, state).await?;
        Held::<Rates>::of(&parts.extensions)?.scans(reader.device(), 1)?;
        Ok(Counted(reader))
    }
}

/// The taps that a reader has not been answered about yet.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ScanBatch)]
struct Batch {
    /// Made anew at each start of the reader.
    #[expect(dead_code, reason = "for the reader's own log; heartbeats count starts")]
    boot_id: Option<String>,
    /// What the lines of the answers shall speak; the reader's own language when it is missing.
    lang: Option<Language>,
    #[schema(min_items = 1, max_items = 100)]
    scans: Vec<Tapped>,
}

/// A badge that was held to the reader.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Tapped {
    /// One per tap, such as a ULID; the same again when the answer was lost.
    scan_id: String,
    /// The number of the badge, hex in any writing.
    tag: String,
    /// How long ago, by a clock that nobody sets. Wins over `scanned_at`.
    #[schema(minimum = 0)]
    age_ms: Option<i64>,
    /// When, by the reader's own clock.
    scanned_at: Option<Timestamp>,
    /// The reader's count of taps.
    seq: Option<i64>,
    #[serde(default = "auto")]
    intent: Intent,
    /// Where a carried reader stands.
    room_id: Option<RoomId>,
}

fn auto() -> Intent {
    Intent::Auto
}

/// What became of the scans, in their order.
#[derive(Serialize, utoipa::ToSchema)]
struct Decided {
    server_time: Timestamp,
    results: Vec<ScanResult>,
}

/// Takes in up to 100 scans, all or none. A repeat is answered as the first time.
#[utoipa::path(post, path = "/api/v1/device/scans", tag = "readers", request_body = Batch,
    responses((status = 200, body = Decided), (status = 400), (status = 401), (status = 413),
        (status = 422, description = "`field` names the item, none is stored"), (status = 429),
        (status = 503)))]
async fn scans(
    State(app): State<App>,
    Held(rates): Held<Rates>,
    Counted(reader): Counted,
    Json(batch): Json<Batch>,
) -> Result<Json<Decided>> {
    let count = batch.scans.len();
    if !(1..=SCANS_MAX).contains(&count) {
        return Err(Error::invalid("scans", "must be 1 to 100"));
    }
    if count > 1 {
        rates.scans(reader.device(), count - 1)?;
    }
    let scans = batch.scans.into_iter().enumerate();
    let scans = scans.map(|(place, tapped)| tapped.checked(place)).collect::<Result<Vec<_>>>()?;
    decide(&app, speaking(reader, batch.lang), scans).await.map(Json)
}

/// Returns the reader as one that answers in `lang`, if one is asked for.
fn speaking(mut reader: Reader, lang: Option<Language>) -> Reader {
    reader.0.scanner.language = lang.unwrap_or(reader.0.scanner.language);
    reader
}

impl Tapped {
    fn checked(self, place: usize) -> Result<Scan> {
        let wrong = |field: &str, problem: &'static str| {
            Err(Error::invalid(format!("scans[{place}].{field}"), problem))
        };
        let visible = self.scan_id.bytes().all(|byte| byte.is_ascii_graphic());
        if !visible || !(1..=SCAN_ID_MAX).contains(&self.scan_id.len()) {
            return wrong("scan_id", "must be 1 to 64 visible ASCII characters");
        }
        let Ok(tag) = rules::tag(&self.tag) else {
            return wrong("tag", NO_TAG);
        };
        let at = match (self.age_ms, self.scanned_at) {
            (Some(age), _) if age < 0 => return wrong("age_ms", "must not be negative"),
            (Some(age), _) => When::AgeMs(age),
            (None, Some(said)) => When::DeviceClock(said),
            (None, None) => return wrong("age_ms", "is needed, or scanned_at"),
        };
        let (scan_id, intent) = (self.scan_id, self.intent);
        Ok(Scan { scan_id, tag, at, intent, room: self.room_id, seq: self.seq })
    }
}

async fn decide(app: &App, reader: Reader, mut scans: Vec<Scan>) -> Result<Decided> {
    let known = reader.0;
    let device = known.scanner.device;
    app.write(reader.actor(), "visits.scan", move |tx| {
        if known.unheard {
            devices::health::heard(tx, device)?;
        }
        let mut order = known.tag_order;
        for scan in &mut scans {
            let sent = std::mem::take(&mut scan.tag);
            scan.tag = devices::commands::tag(tx, device, &mut order, sent)?;
        }
        let results = help::leaving::scan_all(tx, &known.scanner, &scans)?;
        Ok(Decided { server_time: tx.now, results })
    })
    .await
}

/// The number of a badge, under the name that a simple reader gives it.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Tag {
    tag: Option<String>,
    tag_id: Option<String>,
    uid: Option<String>,
}

impl Tag {
    /// Returns what it says, by name.
    fn numbers(self) -> impl Iterator<Item = (&'static str, String)> {
        let named = [("tag", self.tag), ("tag_id", self.tag_id), ("uid", self.uid)];
        named.into_iter().filter_map(|(name, number)| Some((name, number?)))
    }
}

/// Returns the one badge that a tap names, in whatever words and places it does.
fn one_badge(posted: Tag, asked: Tag) -> Result<String> {
    let mut numbers = posted.numbers().chain(asked.numbers());
    let read = |name, number: &str| rules::tag(number).map_err(|_| Error::invalid(name, NO_TAG));
    let (name, first) = numbers.next().ok_or_else(|| Error::invalid("tag", "is needed"))?;
    let tag = read(name, &first)?;
    for (name, number) in numbers {
        if read(name, &number)? != tag {
            return Err(Error::invalid(name, "is another badge than the tap names before"));
        }
    }
    Ok(tag)
}

/// Takes in one tap just made, from a reader that can do no more than post a
/// number: as JSON, as a form or in the query. Two taps within 1.5 s are one.
#[utoipa::path(post, path = "/api/v1/device/tap", tag = "readers", params(Tag),
    request_body(content((Tag = "application/json"), (Tag = "application/x-www-form-urlencoded"))),
    responses((status = 200, description = "plain lines when `Accept` asks for text/plain", body = Decided),
        (status = 400), (status = 401), (status = 422), (status = 429), (status = 503)))]
async fn tap(
    State(app): State<App>,
    Counted(reader): Counted,
    Query(asked): Query<Tag>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response> {
    let tag = one_badge(posted(&app, request).await?, asked)?;
    let scan = Scan {
        scan_id: ulid(app.clock.now(), u128::from_be_bytes(secret::random()?)),
        tag,
        at: When::Now,
        intent: Intent::Auto,
        room: None,
        seq: None,
    };
    let decided = decide(&app, reader, vec![scan]).await?;
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.trim_start().starts_with("text/plain")) {
        let lines = decided
            .results
            .iter()
            .map(|result| format!("{}\n{}\n", result.display.line1, result.display.line2));
        return Ok(lines.collect::<String>().into_response());
    }
    Ok(Json(decided).into_response())
}

/// Reads the body by its type; no body is no tag.
async fn posted(app: &App, request: Request) -> Result<Tag> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    match kind.to_ascii_lowercase().as_str() {
        "application/json" => Json::<Tag>::from_request(request, app).await.map(|body| body.0),
        "application/x-www-form-urlencoded" => {
            Form::<Tag>::from_request(request, app).await.map(|form| form.0)
        }
        _ if whole(request.into_body()).await?.is_empty() => Ok(Tag::default()),
        _ => Err(Error::WrongType("application/json or application/x-www-form-urlencoded")),
    }
}
