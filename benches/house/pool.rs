//! What scans are measured against: the way most services write. A pool of connections, one
//! transaction for each request, at the same durability; the same scans with the same rules. Of
//! our edge it has nothing (no sessions, no limits, no guard), which favours it.

use std::path::Path;
use std::sync::Arc;

use axum::extract::{Json, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use daybook::base::{Actor, Clock, Error};
use daybook::domain::devices::{Intent, KeyHolder, KeyRing};
use daybook::domain::visits::scan::{self, Scan, ScanResult, When};
use daybook::live::tx::alone;
use daybook::store::directory::DATABASE;
use r2d2_sqlite::SqliteConnectionManager;
use serde::{Deserialize, Serialize};

/// How many connections the pool has.
pub const CONNECTIONS: u32 = 8;

#[derive(Deserialize)]
struct Batch {
    scans: Vec<Tapped>,
}

#[derive(Deserialize)]
struct Tapped {
    scan_id: String,
    tag: String,
    age_ms: i64,
    seq: i64,
}

#[derive(Serialize)]
struct Decided {
    results: Vec<ScanResult>,
}

struct House {
    pool: r2d2::Pool<SqliteConnectionManager>,
    keys: KeyRing,
}

/// Serves the database in `data`, and prints where.
pub fn serve(data: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(answer(data));
}

async fn answer(data: &Path) {
    let manager = SqliteConnectionManager::file(data.join(DATABASE)).with_init(|conn| {
        conn.set_prepared_statement_cache_capacity(256);
        conn.execute_batch(
            "pragma synchronous = full; pragma foreign_keys = on; pragma busy_timeout = 5000;",
        )
    });
    let pool = r2d2::Pool::builder().max_size(CONNECTIONS).build(manager).expect("a pool");
    let keys = KeyRing::default();
    keys.reload(&pool.get().expect("a connection")).expect("keys");
    let router = axum::Router::new()
        .route("/api/v1/device/scans", post(scans))
        .with_state(Arc::new(House { pool, keys }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!(r#"{{"url":"http://{}"}}"#, listener.local_addr().expect("an address"));
    axum::serve(listener, router).await.expect("it serves until it is killed");
}

async fn scans(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Json(batch): Json<Batch>,
) -> Result<Json<Decided>, StatusCode> {
    let now = Clock::System.now();
    let key = headers.get(header::AUTHORIZATION).and_then(|shown| shown.to_str().ok());
    let key = key.and_then(|shown| shown.strip_prefix("Bearer "));
    let holder = key.and_then(|key| house.keys.holder(key, now));
    let Some(KeyHolder::Device(known)) = holder else { return Err(StatusCode::UNAUTHORIZED) };
    let scans: Vec<Scan> = batch.scans.into_iter().map(Scan::from).collect();
    let by = Actor::Device(known.scanner.device);
    let decided = tokio::task::spawn_blocking(move || {
        let mut conn = house.pool.get().map_err(|_| Error::Busy)?;
        alone(&mut conn, now, by, |tx| scan::scan_all(tx, &known.scanner, &scans))
    });
    match decided.await {
        Ok(Ok(results)) => Ok(Json(Decided { results })),
        _ => Err(StatusCode::SERVICE_UNAVAILABLE),
    }
}

impl From<Tapped> for Scan {
    fn from(tapped: Tapped) -> Scan {
        Scan {
            scan_id: tapped.scan_id,
            tag: tapped.tag,
            at: When::AgeMs(tapped.age_ms),
            intent: Intent::Auto,
            room: None,
            seq: Some(tapped.seq),
        }
    }
}
