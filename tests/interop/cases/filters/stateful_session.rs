//! Sessions that stay at an endpoint, known by a cookie or a field. What `base64(…)` holds is sent encoded.

use harness::message::Request;

use super::at::case;
use crate::case::Case;

pub fn cases() -> Vec<Case> {
    let to = |path: &str| Request::new("GET", "session.example", path);
    let fields = [
        ("x-none", ""),
        ("x-session", ""),
        ("x-session", "no base64"),
        ("x-session", "base64(127.0.0.1:@A@)"),
        ("x-session", "base64(127.0.0.1:@B@)"),
        ("x-session", "base64(127.0.0.1:@DEAD@)"),
        ("x-session", "base64(rubbish)"),
        ("cookie", "session=\"base64(127.0.0.1:@A@)\""),
        ("cookie", "session=\"base64(127.0.0.1:@B@)\""),
        ("cookie", "session=\"base64(\n\u{f}127.0.0.1:@A@)\""),
        ("cookie", "session=\"base64(\n\u{f}127.0.0.1:@B@)\""),
        ("cookie", "a=1; session=base64(\n\u{f}127.0.0.1:@B@)"),
        ("cookie", "session=rubbish"),
    ];
    let paths = [
        "/one",
        "/strict",
        "/dead",
        "/empty",
        "/unset",
        "/off",
        "/direct",
        "/cookie",
        "/cookie/",
        "/cookie?a=/",
        "/cookies",
        "/cookie-below",
        "/cookie-below/x",
        "/",
    ];
    let mut cases = Vec::new();
    for path in paths {
        for (name, value) in fields {
            let shown = value.escape_debug();
            cases.push(case(format!("session: GET {path} {name}: {shown}"), to(path).header(name, value)));
        }
    }
    // Whom a cluster of two chooses by itself is another matter.
    for path in ["/header", "/cookie/pair"] {
        for (name, value) in fields.iter().filter(|(_, value)| value.contains("@A@") || value.contains("@B@"))
        {
            if (*name == "cookie") == path.starts_with("/cookie") {
                let shown = value.escape_debug();
                cases
                    .push(case(format!("session: GET {path} {name}: {shown}"), to(path).header(name, value)));
            }
        }
    }
    cases
}
