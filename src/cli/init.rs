//! `daybook init`: a new house's directory, database and set-up code.

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use clap::Args;

use super::{Outcome, Place, console, say, say_json};
use crate::base::Actor;
use crate::config::{FILE, SETTINGS};
use crate::domain::people::setup;
use crate::store::Store;
use crate::store::directory::{DATABASE, Directory};

/// Make the directory and the database of a new house; prints its set-up code
#[derive(Args)]
#[command(after_help = "Example: daybook init --data /srv/house\n\n\
    Done again before somebody has set the house up, it gives a new code in place of the old one.")]
pub struct Flags {
    #[command(flatten)]
    place: Place,
    /// Print the code as JSON
    #[arg(long)]
    json: bool,
}

/// Makes what is missing and prints the set-up code.
pub fn run(flags: &Flags) -> Outcome {
    let config = flags.place.config()?;
    let listen = config.listen;
    // A house that waits for its set-up may be served already: it only needs a new code then.
    let directory = if config.data.join(DATABASE).exists() {
        Directory::join(&config.data, "init")?
    } else {
        Directory::make(&config.data, "init")?
    };
    if !directory.database().exists() {
        Store::create(&directory.database())?;
    }
    write_settings(directory.path())?;
    let code = console(config, async |app| {
        app.write(Actor::System, "people.new_setup_code", setup::new_code).await
    })?;
    let data = directory.path().display().to_string();
    if flags.json {
        return say_json(&serde_json::json!({ "data": data, "setup_code": code }));
    }
    say(format!("The house's data is in {data}."));
    say(format!("Set-up code: {code} (good once, for 24 hours)"));
    match directory.served_at() {
        Some(address) => say(format!("Open {} and type the code.", url(address))),
        None => {
            say(format!("Next: daybook serve --data {data}"));
            say(format!("then open {} and type the code.", url(listen)));
        }
    }
    Ok(())
}

/// Returns what to open in a browser; from another machine its own name for this one.
fn url(address: SocketAddr) -> String {
    format!("http://<this machine>:{}", address.port())
}

/// Writes a settings' file in which everything is a comment.
fn write_settings(data: &Path) -> anyhow::Result<()> {
    let path = data.join(FILE);
    if path.exists() {
        return Ok(());
    }
    let mut file = File::options().create_new(true).write(true).mode(0o600).open(path)?;
    writeln!(
        file,
        "# Settings of this Daybook. Every line shows a default; remove the # to change it."
    )?;
    for setting in &SETTINGS {
        let number =
            setting.default.bytes().all(|b| b.is_ascii_digit()) && !setting.default.is_empty();
        let value =
            if number { setting.default.to_owned() } else { format!("{:?}", setting.default) };
        writeln!(file, "\n# {} ({})\n# {} = {value}", setting.says, setting.unit, setting.name)?;
    }
    Ok(())
}
