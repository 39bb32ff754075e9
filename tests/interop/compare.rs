//! Two outcomes beside each other: every aspect in which they differ, and the table a person reads.

use std::collections::BTreeSet;

use harness::backend::record::Recorded;

use crate::case::Case;
use crate::outcome::{Answer, Outcome};

/// One aspect of one case that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub case: String,
    /// `status`, `response header x`, `request header x`, `backend` …
    pub aspect: String,
    pub left: String,
    pub right: String,
}

/// Everything in which the two outcomes differ.
pub fn differences(case: &Case, left: &Outcome, right: &Outcome) -> Vec<Difference> {
    let mut found = Found { case: &case.name, differences: Vec::new() };
    found.compare("end", &left.end, &right.end);
    found.compare("spread", &left.spread, &right.spread);
    found.compare("echo", &left.echo, &right.echo);
    found.compare("processed", &left.processed, &right.processed);
    found.compare("answers", &statuses(left).len(), &statuses(right).len());
    found.compare("backend requests", &left.requests.len(), &right.requests.len());
    for (one, two) in left.answers.iter().zip(&right.answers) {
        found.answers(one, two);
    }
    for (one, two) in left.requests.iter().zip(&right.requests) {
        found.requests(one, two);
    }
    found.differences
}

/// The differences, side by side.
pub fn table(left: &str, right: &str, differences: &[Difference]) -> String {
    let cases: BTreeSet<&str> = differences.iter().map(|one| one.case.as_str()).collect();
    let mut lines = vec![format!("{} difference(s) in {} case(s)", differences.len(), cases.len())];
    lines.push(format!("| case | aspect | {left} | {right} |"));
    let line = |one: &Difference| format!("| {} | {} | {} | {} |", one.case, one.aspect, one.left, one.right);
    lines.extend(differences.iter().map(line));
    lines.join("\n")
}

fn statuses(outcome: &Outcome) -> Vec<u16> {
    outcome.answers.iter().map(|answer| answer.status).collect()
}

struct Found<'a> {
    case: &'a str,
    differences: Vec<Difference>,
}

impl Found<'_> {
    fn compare<T: PartialEq + std::fmt::Debug>(&mut self, aspect: &str, left: &T, right: &T) {
        if left != right {
            let (case, aspect) = (self.case.to_owned(), aspect.to_owned());
            self.differences.push(Difference {
                case,
                aspect,
                left: format!("{left:?}"),
                right: format!("{right:?}"),
            });
        }
    }

    fn answers(&mut self, left: &Answer, right: &Answer) {
        self.compare("status", &left.status, &right.status);
        self.compare("interim", &left.interim, &right.interim);
        self.compare("response body", &shortened(&left.body), &shortened(&right.body));
        self.compare("response trailers", &left.trailers, &right.trailers);
        self.fields("response header", &left.headers, &right.headers);
    }

    fn requests(&mut self, left: &Recorded, right: &Recorded) {
        self.compare("backend", &left.backend, &right.backend);
        self.compare("method", &left.method, &right.method);
        self.compare("path", &left.path, &right.path);
        self.compare("version", &left.version, &right.version);
        self.compare("authority", &left.authority, &right.authority);
        self.compare(
            "request body",
            &(left.body_len, &left.body_sha256),
            &(right.body_len, &right.body_sha256),
        );
        self.compare("request trailers", &left.trailers, &right.trailers);
        self.fields("request header", &left.headers, &right.headers);
    }

    fn fields(&mut self, what: &str, left: &[(String, String)], right: &[(String, String)]) {
        let names: BTreeSet<&String> = left.iter().chain(right).map(|(name, _)| name).collect();
        for name in names {
            let values = |fields: &[(String, String)]| -> Vec<String> {
                fields.iter().filter(|(have, _)| have == name).map(|(_, value)| value.clone()).collect()
            };
            self.compare(&format!("{what} {name}"), &values(left), &values(right));
        }
    }
}

fn shortened(body: &str) -> String {
    const CHARS_MAX: usize = 120;
    match body.char_indices().nth(CHARS_MAX) {
        Some((at, _)) => format!("{}… ({} bytes)", &body[..at], body.len()),
        None => body.to_owned(),
    }
}
