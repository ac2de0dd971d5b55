//! Long lists, compressed: those of a large house are hundreds of KiB, and a tablet's network may be
//! poor. What a page reads each time is short, and stays as quick as it is.

use tower_http::compression::predicate::SizeAbove;
use tower_http::compression::{CompressionLayer, CompressionLevel};
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt as _};

use crate::app::App;

/// From how many bytes on an answer is worth the time that it takes to compress it.
const FROM: u64 = 16 * 1024;

/// Has long answers of `routes!(..)` compressed for who takes that. For reads alone: who takes
/// neither gzip nor a plain answer gets 406, after all else is done.
pub fn squeezed(routes: UtoipaMethodRouter<App>) -> UtoipaMethodRouter<App> {
    let layer = CompressionLayer::new().quality(CompressionLevel::Fastest);
    let layer = layer.compress_when(SizeAbove::new(FROM));
    routes.map(|methods| methods.layer(layer))
}
