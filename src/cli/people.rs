//! `daybook people`: importing, adding and listing people, and new passwords; also while the
//! server runs. A password is typed or piped in, never an argument: others could read it.

use std::io::{BufRead, IsTerminal, Read, Write};

use anyhow::bail;
use clap::{Args, Subcommand};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde::Serialize;

use super::{Failure, Outcome, Place, console, imports, say, say_json, say_table};
use crate::app::App;
use crate::base::id::PersonId;
use crate::base::{Actor, Error, Result};
use crate::config::Config;
use crate::domain::house;
use crate::domain::people::model::{NewPerson, PersonState};
use crate::domain::people::queries::{self, Search};
use crate::domain::people::{Role, commands, rules};
use crate::store::directory::Directory;

/// How many people are listed at once.
const PAGE: i64 = 500;

/// Import, add and list people; set passwords
#[derive(Args)]
#[command(after_help = "Example: daybook people import pupils.csv --dry-run")]
pub struct Flags {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Import(imports::Flags),
    Imports(imports::ListFlags),
    UndoImport(imports::UndoFlags),
    Add(Add),
    Password(Password),
    List(List),
}

/// Add one person, with an account if a user name is given
#[derive(Args)]
#[command(after_help = "Example: daybook people add Ada Krause --role staff --username ada\n\n\
    The password of the account is asked for, or read as one line from a pipe.")]
struct Add {
    given_name: String,
    family_name: String,
    /// admin, office, staff or member
    #[arg(long, value_name = "ROLE")]
    role: Role,
    /// Open an account with this user name
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// The person's number in another system
    #[arg(long)]
    number: Option<String>,
    #[command(flatten)]
    place: Place,
    /// Print who was added as JSON
    #[arg(long)]
    json: bool,
}

/// Give an account a new password; ends its sessions
#[derive(Args)]
#[command(after_help = "Example: daybook people password ada\n\n\
    The password is asked for, or read as one line from a pipe.")]
struct Password {
    username: String,
    #[command(flatten)]
    place: Place,
}

/// List people
#[derive(Args)]
#[command(after_help = "Example: daybook people list --role staff mül")]
struct List {
    /// Beginnings of words of the name
    #[arg(default_value = "")]
    text: String,
    /// Only admin, office, staff or member
    #[arg(long, value_name = "ROLE")]
    role: Option<Role>,
    #[command(flatten)]
    place: Place,
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

/// Does what was asked.
pub fn run(flags: &Flags) -> Outcome {
    match &flags.verb {
        Verb::Import(flags) => imports::take_over(flags),
        Verb::Imports(flags) => imports::list(flags),
        Verb::UndoImport(flags) => imports::undo(flags),
        Verb::Add(flags) => add(flags),
        Verb::Password(flags) => set_password(flags),
        Verb::List(flags) => list(flags),
    }
}

/// Runs `work` on the house, also beside a server.
pub(super) fn at_home<T>(
    place: &Place,
    work: impl AsyncFnOnce(&App) -> Result<T>,
) -> Result<T, Failure> {
    let config: Config = place.config()?;
    let _directory = Directory::join(&config.data, "people")?;
    console(config, work)
}

/// Somebody in a list, as printed.
#[derive(Serialize)]
struct Listed {
    id: PersonId,
    display_name: String,
    role: Role,
    number: Option<String>,
    username: Option<String>,
}

fn add(flags: &Add) -> Outcome {
    let new = NewPerson {
        number: flags.number.clone(),
        ..NewPerson::named(&flags.given_name, &flags.family_name, flags.role)
    };
    let account = match &flags.username {
        Some(username) => Some((rules::username(username).map_err(wrong)?, ask_password()?)),
        None => None,
    };
    let added = at_home(&flags.place, async move |app| {
        let account = match account {
            Some((username, password)) => {
                let hash = checked_hash(app, &username, password).await?;
                Some((username, hash))
            }
            None => None,
        };
        app.write(Actor::System, "people.enrol", move |tx| {
            let id = commands::enrol(tx, new)?;
            if let Some((username, hash)) = &account {
                commands::open_account(tx, id, username, hash)?;
            }
            let person = queries::find(tx, id)?;
            let username = account.map(|(username, _)| username);
            let (display_name, role, number) = (person.display_name, person.role, person.number);
            Ok(Listed { id, display_name, role, number, username })
        })
        .await
    })?;
    if flags.json {
        return say_json(&added);
    }
    say(format!("{} is in the house as {}.", added.display_name, added.role.word()));
    Ok(())
}

fn set_password(flags: &Password) -> Outcome {
    let username = rules::username_key(&flags.username);
    let name = username.clone();
    let person = at_home(&flags.place, async move |app| {
        let login = app.read(move |conn| queries::login(conn, &name)).await?;
        login.map(|login| login.person).ok_or(Error::NotFound("account"))
    })?;
    let password = ask_password()?;
    at_home(&flags.place, async move |app| {
        let hash = checked_hash(app, &username, password).await?;
        app.write(Actor::System, "people.set_password", move |tx| {
            commands::set_password(tx, person, &hash, None)
        })
        .await
    })?;
    say("The password is set; sessions with the old one have ended.");
    Ok(())
}

async fn checked_hash(app: &App, username: &str, password: String) -> Result<String> {
    let house = app
        .read(|conn| match house::queries::exists(conn)? {
            true => Ok(house::queries::house(conn)?.name),
            false => Ok(String::new()),
        })
        .await?;
    rules::check_password("password", &password, username, &house)?;
    app.hasher.hash(password).await
}

fn list(flags: &List) -> Outcome {
    let (text, role, state) = (flags.text.clone(), flags.role, PersonState::Active);
    let search = Search { text, role, group: None, state };
    let people = at_home(&flags.place, async move |app| {
        app.read(move |conn| {
            let mut listed = Vec::new();
            let mut offset = 0;
            loop {
                let page = queries::search(conn, &search, PAGE, offset)?;
                let more = i64::try_from(page.len()).unwrap_or_default() == PAGE;
                for person in page {
                    let account = queries::account(conn, person.id)?;
                    listed.push(Listed {
                        id: person.id,
                        display_name: person.display_name,
                        role: person.role,
                        number: person.number,
                        username: account.map(|account| account.username),
                    });
                }
                if !more {
                    return Ok(listed);
                }
                offset += PAGE;
            }
        })
        .await
    })?;
    if flags.json {
        return say_json(&people);
    }
    let cells = |person: &Listed| {
        let username = person.username.clone().unwrap_or_default();
        let number = person.number.clone().unwrap_or_default();
        let role = person.role.word().to_owned();
        [person.id.to_string(), person.display_name.clone(), role, username, number]
    };
    let rows: Vec<_> = people.iter().map(cells).collect();
    say_table(["id", "name", "role", "user name", "number"], &rows);
    Ok(())
}

fn wrong(error: Error) -> Failure {
    Failure::Use(error.to_string())
}

/// Asks for a new password twice on a terminal, or takes one line from a pipe.
fn ask_password() -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        return read_line();
    }
    let password = ask_unseen("New password: ")?;
    if ask_unseen("Once more: ")? != password {
        bail!("the two are not the same");
    }
    Ok(password)
}

fn ask_unseen(question: &str) -> anyhow::Result<String> {
    let terminal = std::io::stdin();
    let before = tcgetattr(&terminal)?;
    let mut unseen = before.clone();
    unseen.local_modes.remove(LocalModes::ECHO);
    eprint_now(question);
    tcsetattr(&terminal, OptionalActions::Flush, &unseen)?;
    let line = read_line();
    // Whatever was read, the terminal must show again what is typed.
    tcsetattr(&terminal, OptionalActions::Flush, &before)?;
    eprint_now("\n");
    line
}

fn eprint_now(text: &str) {
    let mut out = std::io::stderr();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// Returns the next line as typed, without its end.
fn read_line() -> anyhow::Result<String> {
    let mut line = String::new();
    let limit = u64::try_from(rules::PASSWORD_BYTES_MAX + 3)?;
    std::io::stdin().lock().take(limit).read_line(&mut line)?;
    if line.is_empty() {
        bail!("no password was given");
    }
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}
