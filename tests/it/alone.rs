//! The program by itself: it needs no name server, no gateway and nobody else's machine, and the
//! unit that starts it lets it have nothing but its directory and its socket.

use std::collections::BTreeSet;
use std::fs;

use daybook::client::Client;
use daybook::domain::people::Role;
use hyper::Method;

use crate::program::{Server, daybook};
use crate::store::{PASSWORD, TestStore};

/// Fault 116: whatever is asked of it, it asks nobody.
#[tokio::test]
async fn the_program_opens_no_socket_but_that_at_which_it_is_called() {
    let store = TestStore::new().await;
    store.account("Ada Amt", Role::Admin).await;
    let data = store.close();
    let server = Server::of(daybook(data.path(), &["serve", "--json", "--listen", "127.0.0.1:0"]));
    let origin = format!("http://{}", server.address);
    let nobody = Client::new(server.address).with("origin", origin.clone());
    let credentials = serde_json::json!({ "username": "ada", "password": PASSWORD });
    let signed_in = nobody.post("/api/v1/login", &credentials).await.unwrap();
    let lead = Client::new(server.address).with("cookie", signed_in.cookies());
    let html = [("accept", "text/html")];
    for page in ["/", "/people", "/rooms", "/devices", "/help", "/wall", "/kiosk", "/nowhere"] {
        let answer = lead.send(Method::GET, page, &html, "".into()).await.unwrap();
        assert!(answer.status < 500, "{page}: {}", answer.status);
    }
    let mut stream = lead.stream("/api/v1/events", &[]).await.unwrap();
    assert!(stream.next().await.unwrap().is_some());
    let sockets = sockets(server.process.id());
    assert!(sockets.len() > 1, "{sockets:?}");
    let elsewhere: Vec<_> = sockets
        .iter()
        .filter(|(kind, port)| kind != "tcp" || *port != server.address.port())
        .collect();
    assert_eq!(elsewhere, Vec::<&(String, u16)>::new());
}

/// Returns the kind and the own port of each socket of a process that speaks to a network.
fn sockets(process: u32) -> Vec<(String, u16)> {
    let links = fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let links = links.filter_map(|fd| fs::read_link(fd.unwrap().path()).ok());
    let own: BTreeSet<String> = links
        .filter_map(|link| {
            let link = link.to_str()?;
            link.strip_prefix("socket:[")?.strip_suffix(']').map(str::to_owned)
        })
        .collect();
    let mut sockets = Vec::new();
    for kind in ["tcp", "tcp6", "udp", "udp6", "raw", "raw6"] {
        let table = fs::read_to_string(format!("/proc/{process}/net/{kind}")).unwrap_or_default();
        for line in table.lines().skip(1) {
            let cells: Vec<&str> = line.split_whitespace().collect();
            if own.contains(cells[9]) {
                let port = cells[1].rsplit_once(':').unwrap().1;
                sockets.push((kind.to_owned(), u16::from_str_radix(port, 16).unwrap()));
            }
        }
    }
    sockets
}

/// Fault 99, as far as the unit says it; `tests/run` has systemd judge the whole.
#[test]
fn the_unit_gives_the_program_its_directory_and_nothing_else() {
    let unit = fs::read_to_string("systemd/daybook.service").unwrap();
    for line in [
        "StateDirectoryMode=0700",
        "UMask=0077",
        "CapabilityBoundingSet=",
        "AmbientCapabilities=",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "IPAddressDeny=any",
        "Restart=on-failure",
        "RestartPreventExitStatus=2",
        "TimeoutStopSec=15",
    ] {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
}
