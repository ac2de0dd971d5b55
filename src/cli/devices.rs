//! `daybook devices`: badge readers from the console, also beside a running server.

use clap::{Args, Subcommand};

use super::{Outcome, Place, console, say, say_json, say_table, wrong_use};
use crate::app::App;
use crate::base::id::{DeviceId, RoomId};
use crate::base::{Actor, Error, Result};
use crate::domain::devices::model::{Device, Mode, NewCode};
use crate::domain::{devices, rooms};
use crate::store::directory::Directory;

/// List badge readers, let one in, shut one out
#[derive(Args)]
#[command(after_help = "Example: daybook devices code --name \"Front door\" --mode toggle\n\n\
    Works beside a running server, which knows of it within a second.")]
pub struct Flags {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    List(List),
    Code(Code),
    Revoke(Revoke),
}

/// List the readers with their state
#[derive(Args)]
#[command(after_help = "Example: daybook devices list --json")]
struct List {
    #[command(flatten)]
    place: Place,
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

/// Make a code that lets one reader in, once, within 15 minutes
#[derive(Args)]
#[command(
    after_help = "Example: daybook devices code --name \"Library\" --mode room --room Library"
)]
struct Code {
    #[command(flatten)]
    place: Place,
    /// What the reader will be called
    #[arg(long)]
    name: String,
    /// What a scan means there: `door_in`, `door_out`, toggle, room or kiosk
    #[arg(long, value_parser = mode)]
    mode: Mode,
    /// The room that it stands in, by name
    #[arg(long)]
    room: Option<String>,
    /// Print the code as JSON
    #[arg(long)]
    json: bool,
}

/// End a reader's key for good; what it has told stays
#[derive(Args)]
#[command(after_help = "Example: daybook devices revoke 3")]
struct Revoke {
    #[command(flatten)]
    place: Place,
    /// The reader's id, as `daybook devices list` shows it
    id: String,
}

/// Does what was asked.
pub fn run(flags: &Flags) -> Outcome {
    match &flags.act {
        Act::List(flags) => list(flags),
        Act::Code(flags) => code(flags),
        Act::Revoke(flags) => revoke(flags),
    }
}

fn list(flags: &List) -> Outcome {
    let config = flags.place.config()?;
    let _directory = Directory::join(&config.data, "devices list")?;
    let devices = console(config, async |app| app.read(devices::queries::list).await)?;
    if flags.json {
        return say_json(&devices);
    }
    let row = |device: &Device| {
        let seen = device.last_seen_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
        [
            device.id.to_string(),
            device.name.clone(),
            device.mode.word().to_owned(),
            device.room_name.clone().unwrap_or_default(),
            device.state.word().to_owned(),
            seen,
            device.queue_depth.to_string(),
        ]
    };
    say_table(
        ["ID", "NAME", "MODE", "ROOM", "STATE", "LAST SEEN", "WAITING"],
        &devices.iter().map(row).collect::<Vec<_>>(),
    );
    Ok(())
}

fn code(flags: &Code) -> Outcome {
    if flags.mode == Mode::Room && flags.room.is_none() {
        return Err(wrong_use("--mode room: say which by --room NAME"));
    }
    let config = flags.place.config()?;
    let _directory = Directory::join(&config.data, "devices code")?;
    let (name, mode, room) = (flags.name.clone(), flags.mode, flags.room.clone());
    let code = console(config, async |app| {
        let room = match room {
            Some(name) => Some(room_of_name(app, name).await?),
            None => None,
        };
        let new = NewCode { name, mode, room };
        app.write(Actor::System, "devices.issue_code", move |tx| {
            devices::commands::issue_code(tx, &new)
        })
        .await
    })?;
    if flags.json {
        let answer = serde_json::json!({ "code": code.text, "expires_at": code.expires_at });
        return say_json(&answer);
    }
    // The time of day would be that of Greenwich, and over already in most houses.
    let minutes = devices::commands::CODE_MAX.as_secs() / 60;
    say(format!("Code: {} (good once, for {minutes} minutes)", code.text));
    Ok(())
}

fn revoke(flags: &Revoke) -> Outcome {
    let id: DeviceId =
        flags.id.parse().map_err(|_| wrong_use(format!("{}: is not an id", flags.id)))?;
    let config = flags.place.config()?;
    let _directory = Directory::join(&config.data, "devices revoke")?;
    console(config, async |app| {
        app.write(Actor::System, "devices.revoke", move |tx| devices::commands::revoke(tx, id))
            .await
    })?;
    say(format!("reader {id} is revoked"));
    Ok(())
}

async fn room_of_name(app: &App, name: String) -> Result<RoomId> {
    let rooms = app.read(rooms::queries::rooms).await?;
    let room = rooms.into_iter().find(|room| room.name.eq_ignore_ascii_case(&name));
    room.map(|room| room.id).ok_or(Error::NotFound("room"))
}

fn mode(text: &str) -> std::result::Result<Mode, &'static str> {
    text.parse()
}
