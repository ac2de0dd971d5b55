//! `daybook serve`: the main job.

use clap::Args;

use super::{Outcome, Place, load, wrong_use};
use crate::{serve, systemd};

/// Serve the house: pages, streams and badge readers
#[derive(Args)]
#[command(after_help = "Example: daybook serve --data /srv/house --listen 192.168.1.5:8080")]
pub struct Flags {
    #[command(flatten)]
    place: Place,
    /// Where to listen; port 0 picks a free one [default: the setting `listen`]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
    /// Print one line of JSON with the address when it is ready
    #[arg(long)]
    json: bool,
}

/// Serves until the process is told to stop.
pub fn run(flags: &Flags) -> Outcome {
    let sources = flags.place.sources(&[("listen", flags.listen.clone())])?;
    let config = load(&sources)?;
    systemd::log_to(config.log, &config.log_level, &sources.environment)
        .map_err(|e| wrong_use(format!("{e:#}")))?;
    let json = flags.json;
    serve::run(config, move |url| {
        if json {
            super::say(serde_json::json!({ "url": url }).to_string());
        }
    })?;
    Ok(())
}
