//! `daybook demo`: an invented house with a day in motion.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{Outcome, Place, load, say, show_progress, wrong_use};
use crate::base::{Clock, Pace, Timestamp, secret};
use crate::demo::house::{Duty, PASSWORD};
use crate::demo::plan::Who;
use crate::demo::stage::Stage;
use crate::demo::time::{DAY, DayTime, END, OPENING};
use crate::demo::{self, opening};
use crate::memory;
use crate::serve::{self, House};
use crate::store::Store;
use crate::store::directory::{Directory, SERVE};
use crate::systemd;

/// Show an invented house with its day in motion, in a directory of its own
#[derive(Args)]
#[command(after_help = "Example: daybook demo --speed 60 --from 07:30\n\n\
    Everybody in it is invented. Without --data everything is gone when it ends.")]
pub struct Flags {
    /// A new directory to keep the house in [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to listen; port 0 picks a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: String,
    /// How many times as fast as the clock on the wall
    #[arg(long, value_parser = ["1", "60", "600"], default_value = "1")]
    speed: String,
    /// When the day is entered; all before it has happened
    #[arg(long, value_name = "HH:MM", default_value = "13:20")]
    from: DayTime,
    /// Another seed gives other people and another day
    #[arg(long, value_name = "N", default_value_t = demo::SEED)]
    seed: u64,
    /// Let the house's clock stand
    #[arg(long)]
    paused: bool,
    /// Print one line of JSON when it is ready
    #[arg(long)]
    json: bool,
}

/// Shows the house until the process is told to stop.
pub fn run(flags: &Flags) -> Outcome {
    let temporary = match &flags.data {
        Some(_) => None,
        None => Some(Temporary::new()?),
    };
    let data = flags.data.as_deref().or(temporary.as_ref().map(|own| own.path.as_path()));
    let place = Place { data: data.map(Path::to_owned), ..Place::default() };
    let sources = place.sources(&[("listen", Some(flags.listen.clone()))])?;
    let config = load(&sources)?;
    let directory = Directory::make(&config.data, SERVE)?;
    if directory.database().exists() {
        let shown = config.data.display();
        return Err(wrong_use(format!(
            "{shown}: there is a house already; the demo needs a new directory"
        )));
    }
    systemd::log_to(config.log, &config.log_level, &sources.environment)
        .map_err(|e| wrong_use(format!("{e:#}")))?;
    let listener = serve::listen(config.listen)?;
    Store::create(&directory.database())?;
    let speed: u32 = if flags.paused { 0 } else { flags.speed.parse()? };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let clock = Arc::new(Pace::standing(Timestamp(OPENING.epoch_ms())));
        let house = House::open(directory, config, Clock::Scaled(clock.clone()), listener)?;
        let shown = show(&house, clock, flags, speed).await;
        house.close().await;
        shown
    })
}

async fn show(house: &House, clock: Arc<Pace>, flags: &Flags, speed: u32) -> Outcome {
    let mut stop = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let terminal_closed = terminal_closed()?;
    let day = async {
        let mut stage =
            opening::open(&house.app, serve::near(house.address), clock, flags.seed).await?;
        let from = flags.from.clamp(OPENING, END);
        let all = u64::try_from(stage.player().plan().actions.len()).unwrap_or(0);
        let progress = |done| show_progress("played", u64::try_from(done).unwrap_or(0), all);
        if let Err(error) = stage.catch_up(from, progress).await {
            tracing::warn!(error = format!("{error:#}"), "an action of the demo failed");
        }
        stage.wake_readers().await?;
        // A house and half its day have just been written.
        memory::give_back();
        tell(house, &stage, flags, from);
        systemd::ready(&house.url());
        if speed > 0 {
            stage.run(speed).await;
        }
        std::future::pending::<Outcome>().await
    };
    tokio::select! {
        over = day => over?,
        _ = stop.recv() => {}
        _ = interrupt.recv() => {}
        () = terminal_closed => {}
    }
    systemd::stopping();
    Ok(())
}

/// Waits until the terminal is closed, which would end the process and leave its directory; for
/// ever under `nohup`, which has it outlive that.
fn terminal_closed() -> anyhow::Result<impl Future<Output = ()>> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
    let outlives = ignored.is_some_and(|set| set & 1 == 1);
    let mut hangup = if outlives { None } else { Some(signal(SignalKind::hangup())?) };
    Ok(async move {
        match &mut hangup {
            Some(hangup) => _ = hangup.recv().await,
            None => std::future::pending().await,
        }
    })
}

/// Says where the house is, and who can be tried.
fn tell(house: &House, stage: &Stage, flags: &Flags, from: DayTime) {
    let (player, url) = (stage.player(), house.url());
    let sign_ins: Vec<SignIn> =
        player.plan().accounts().into_iter().filter_map(|who| SignIn::of(stage, who)).collect();
    if flags.json {
        let shown = player.house().devices.iter().zip(&player.known().devices);
        let readers: Vec<_> = shown
            .map(|(device, keyed)| {
                let (mode, room) = demo::seed::as_reader(device.mode, &player.known().rooms);
                json!({ "device_id": keyed.id, "key": keyed.key, "mode": mode, "room_id": room })
            })
            .collect();
        let people: Vec<_> = sign_ins.iter().map(SignIn::as_json).collect();
        let walls = [json!({ "key": player.known().wall_key })];
        let ready = json!({
            "url": url, "sign_ins": people, "devices": readers, "displays": walls,
        });
        say(ready.to_string());
        return;
    }
    say(format!("Daybook: {} (invented), at {url}", demo::house::HOUSE_NAME));
    say(format!("It is {from} on {DAY} there. Password of everybody: {PASSWORD}"));
    let mut last = "";
    for sign_in in &sign_ins {
        if sign_in.role != last {
            say(format!("  {:24} {:8} {}", sign_in.username, sign_in.role, sign_in.name));
            last = sign_in.role;
        }
    }
    say("Ctrl-C ends it.");
}

/// Somebody who can sign in.
struct SignIn {
    username: String,
    name: String,
    role: &'static str,
}

impl SignIn {
    fn of(stage: &Stage, who: Who) -> Option<SignIn> {
        let house = stage.player().house();
        let (person, role) = match who {
            Who::Staff(number) => {
                let colleague = house.staff.get(number)?;
                let role = match colleague.duty {
                    Duty::Lead => "admin",
                    Duty::Office => "office",
                    Duty::Educator(_) | Duty::Tutor => "staff",
                };
                (&colleague.person, role)
            }
            Who::Member(number) => (&house.members.get(number)?.person, "member"),
        };
        let name = format!("{} {}", person.given, person.family);
        Some(SignIn { username: person.username.clone(), name, role })
    }

    fn as_json(&self) -> serde_json::Value {
        json!({ "username": self.username, "password": PASSWORD, "role": self.role })
    }
}

/// A directory that is gone when the demo has ended.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    fn new() -> anyhow::Result<Temporary> {
        let name = format!("daybook-demo-{}", secret::hex(&secret::random::<6>()?));
        Ok(Temporary { path: std::env::temp_dir().join(name) })
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Never made, or gone already: nothing is left either way.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
