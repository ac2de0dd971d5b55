//! `daybook routes`: every route, and who may call it.

use clap::Args;

use super::{Outcome, say_json, say_table};
use crate::http;

/// List every route with its method, who may call it and whether it changes anything
#[derive(Args)]
#[command(after_help = "Example: daybook routes --json")]
pub struct Flags {
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

/// Prints the list.
pub fn run(flags: &Flags) -> Outcome {
    let routes = http::document::listing(&http::routes().1);
    if flags.json {
        return say_json(&routes);
    }
    let rows: Vec<_> = routes
        .iter()
        .map(|route| {
            let changes = if route.changes { "changes" } else { "reads" };
            [route.method.clone(), route.path.clone(), changes.to_owned(), route.may.join(" ")]
        })
        .collect();
    say_table(["METHOD", "PATH", "DOES", "MAY"], &rows);
    Ok(())
}
