//! Hosts that are missing, doubled, invalid, or other than the target says (RFC 9112 §3.2).

use crate::attacks::case::{BAD, Case};

pub fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = HOSTS
        .iter()
        .map(|(name, fields, expected)| Case::new(name, format!("GET / HTTP/1.1\r\n{fields}\r\n"), expected))
        .collect();
    cases.push(Case::new("host of latin-1", &b"GET / HTTP/1.1\r\nhost: caf\xe9.test\r\n\r\n"[..], BAD));
    cases
}

const HOSTS: &[(&str, &str, &str)] = &[
    ("host missing", "x-a: b\r\n", BAD),
    ("host empty", "host:\r\n", BAD),
    ("host twice, equal", "host: a.test\r\nhost: a.test\r\n", BAD),
    ("host twice, different", "host: a.test\r\nhost: b.test\r\n", BAD),
    ("host twice, other letters", "host: a.test\r\nHOST: b.test\r\n", BAD),
    ("host and a folded host", "host: a.test\r\n host: b.test\r\n", BAD),
    ("host and a spaced host", "host: a.test\r\nhost : b.test\r\n", BAD),
    ("host with a blank before the name", " host: a.test\r\n", BAD),
    ("host with a list", "host: a.test, b.test\r\n", BAD),
    ("host with a user", "host: user@a.test\r\n", BAD),
    ("host with a user and a word", "host: user:word@a.test\r\n", BAD),
    ("host with a path", "host: a.test/b\r\n", BAD),
    ("host with a query", "host: a.test?b\r\n", BAD),
    ("host with a fragment", "host: a.test#b\r\n", BAD),
    ("host with a backslash", "host: a.test\\b\r\n", BAD),
    ("host with a scheme", "host: http://a.test\r\n", BAD),
    ("host with a blank", "host: a test\r\n", BAD),
    ("host with a tab", "host: a\ttest\r\n", BAD),
    ("host with a null", "host: a.test\0\r\n", BAD),
    ("host with a bare CR", "host: a.test\rx: b\r\n", BAD),
    ("host with quotes", "host: \"a.test\"\r\n", BAD),
    ("host with angle brackets", "host: <a.test>\r\n", BAD),
    ("host of a colon", "host: :\r\n", BAD),
    ("host of a port", "host: :80\r\n", BAD),
    ("host with letters as port", "host: a.test:http\r\n", BAD),
    ("host with port 65536", "host: a.test:65536\r\n", BAD),
    ("host with port 99999999999", "host: a.test:99999999999\r\n", BAD),
    ("host with a negative port", "host: a.test:-1\r\n", BAD),
    ("host with a signed port", "host: a.test:+80\r\n", BAD),
    ("host with two ports", "host: a.test:80:80\r\n", BAD),
    ("host with port and path", "host: a.test:80/x\r\n", BAD),
    ("host with a broken bracket", "host: [::1\r\n", BAD),
    ("host with a bracket behind", "host: ::1]\r\n", BAD),
    ("host with empty brackets", "host: []\r\n", BAD),
    ("host with something behind the bracket", "host: [::1]x\r\n", BAD),
    ("host of IPv6 without brackets", "host: ::1\r\n", BAD),
    ("host with a port", "host: a.test:80\r\n", "200 kept: GET / @a.test:80"),
    ("host with an empty port", "host: a.test:\r\n", "200 kept: GET / @a.test:"),
    ("host of IPv6", "host: [::1]:80\r\n", "200 kept: GET / @[::1]:80"),
    ("host of IPv4", "host: 127.0.0.1\r\n", "200 kept: GET / @127.0.0.1"),
    ("host in capitals", "HOST: A.TEST\r\n", "200 kept: GET / @A.TEST"),
    ("host with a dot behind", "host: a.test.\r\n", "200 kept: GET / @a.test."),
    ("host with an underscore", "host: a_b.test\r\n", "200 kept: GET / @a_b.test"),
];
