//! `daybook openapi`: the document that describes the interface.

use clap::Args;

use super::{Outcome, say_json};
use crate::http;

/// Print the OpenAPI document of this version
#[derive(Args)]
#[command(after_help = "Example: daybook openapi > daybook.json")]
pub struct Flags {}

/// Prints the document.
pub fn run(_: &Flags) -> Outcome {
    say_json(&http::routes().1)
}
