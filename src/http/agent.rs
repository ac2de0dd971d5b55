//! What a browser says of itself (`User-Agent`), in a few words and no more.

use axum::http::{HeaderMap, header};

use crate::live::watch::DeviceKind;

/// Returns what kind of device a request comes from. An iPad that poses as a Mac, as it does by
/// itself, is taken for one.
pub fn device_kind(headers: &HeaderMap) -> DeviceKind {
    let agent = agent(headers);
    let says = |marks: &[&str]| marks.iter().any(|mark| agent.contains(mark));
    if says(&["iPad", "Tablet;"]) || (says(&["Android"]) && !says(&["Mobile"])) {
        DeviceKind::Tablet
    } else if says(&["iPhone", "iPod", "Mobile"]) {
        DeviceKind::Phone
    } else if says(&["Windows NT", "Macintosh", "X11", "CrOS"]) {
        DeviceKind::Desktop
    } else {
        DeviceKind::Unknown
    }
}

/// Returns a browser's name in a few words, for the list of sessions.
pub fn device_name(headers: &HeaderMap) -> String {
    let agent = agent(headers);
    let first = |marks: &[(&str, &'static str)]| {
        marks.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    // The more special mark first: nearly all of them also claim to be Safari.
    let browser = first(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = first(&[
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("CrOS", "ChromeOS"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    [browser, system].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn agent(headers: &HeaderMap) -> &str {
    headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::{DeviceKind, device_kind, device_name};

    fn saying(agent: &str) -> HeaderMap {
        let agent = HeaderValue::from_bytes(agent.as_bytes()).unwrap();
        HeaderMap::from_iter([(header::USER_AGENT, agent)])
    }

    #[test]
    fn a_browser_is_named_in_a_few_words() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like \
                    Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0";
        assert_eq!(device_name(&saying(edge)), "Edge, Windows");
        assert_eq!(device_name(&saying("curl/8.5.0")), "curl");
        assert_eq!(device_name(&saying("\u{1F980}")), "");
        assert_eq!(device_name(&HeaderMap::new()), "");
    }

    #[test]
    fn a_device_is_of_one_of_four_kinds() {
        let kinds = [
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Gecko/20100101 Firefox/145.0", "desktop"),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.1 Safari/605.1",
                "desktop",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "desktop"),
            ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/140.0.0.0 Safari/537", "desktop"),
            ("Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/140.0 Mobile Safari/537", "phone"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Mobile/15E148", "phone"),
            ("Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0", "phone"),
            ("Mozilla/5.0 (Linux; Android 14; SM-X200) Chrome/140.0 Safari/537", "tablet"),
            ("Mozilla/5.0 (Android 14; Tablet; rv:145.0) Gecko/145.0 Firefox/145.0", "tablet"),
            ("Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148", "tablet"),
            ("curl/8.5.0", "unknown"),
            ("", "unknown"),
        ];
        for (agent, kind) in kinds {
            assert_eq!(device_kind(&saying(agent)).word(), kind, "{agent}");
        }
        assert_eq!(device_kind(&HeaderMap::new()), DeviceKind::Unknown);
    }
}
