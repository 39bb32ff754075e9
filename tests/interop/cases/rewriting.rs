//! Paths and hosts that change on the way to the backend.

use harness::message::Request;

use crate::case::Case;

const HOST: &str = "rewrite.example";

pub fn cases() -> Vec<Case> {
    let targets = [
        "/prefix/",
        "/prefix/x",
        "/prefix/x?a=1",
        "/prefix//x",
        "/prefix/x/",
        "/to-long/x",
        "/to-long/?q",
        "/noslash",
        "/noslash/y",
        "/noslashy",
        "/exact",
        "/exact?a=1",
        "/sep",
        "/sep/x",
        "/sep?x",
        "/re/one/two",
        "/re/one/two/three?x=1",
        "/re/one",
        "/every",
        "/every/eel?e=e",
        "/host/literal",
        "/host/path/abc",
        "/host/path/ABC",
        "/host/path/abc?x=1",
        "/host/auto",
        "/host/forwarded",
        "/both/x?y",
    ];
    let mut cases: Vec<Case> = targets.iter().map(|target| Case::get("rewrite", HOST, target)).collect();
    let header = |value: &str| Request::new("GET", HOST, "/host/header").header("x-host", value);
    cases.push(Case::send("rewrite: host from a field", header("from.example")));
    cases.push(Case::send("rewrite: host from an empty field", header("")));
    cases.push(Case::get("rewrite: host from a missing field", HOST, "/host/header"));
    let forwarded = Request::new("GET", HOST, "/host/forwarded").header("x-forwarded-host", "before.example");
    cases.push(Case::send("rewrite: x-forwarded-host is there already", forwarded));
    cases
}
