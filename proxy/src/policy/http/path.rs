//! Paths in one spelling, so that a rule about `/admin` cannot be walked around by `/%61dmin` or `/x/../admin`.
//!
//! The rules are those of the WHATWG URL standard's path state as Chromium's canonicaliser has them, which is what
//! Envoy uses; queries are never touched.

use std::borrow::Cow;

use xds::model::{EscapedSlashes, PathNormalization};

/// What became of a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Normalized {
    /// It is as it should be.
    Same,
    /// It is to be replaced.
    Changed(String),
    /// The client is to be sent to this path.
    Redirect(String),
    /// It is not acceptable.
    Refused,
}

/// Normalises `path` (query included).
pub(super) fn normalize(path: &str, how: PathNormalization) -> Normalized {
    let PathNormalization { normalize, merge_slashes, escaped_slashes } = how;
    // A fragment never leaves a client that follows RFC 9110; what it hides might be matched by one hop only.
    if path.contains('#') {
        return Normalized::Refused;
    }
    let (only, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    let mut now = Cow::Borrowed(only);
    let mut redirect = false;
    if escaped_slashes != EscapedSlashes::KeepUnchanged
        && let Some(unescaped) = unescape_slashes(&now)
    {
        match escaped_slashes {
            EscapedSlashes::RejectRequest => return Normalized::Refused,
            EscapedSlashes::UnescapeAndRedirect => redirect = true,
            EscapedSlashes::UnescapeAndForward | EscapedSlashes::KeepUnchanged => {}
        }
        now = Cow::Owned(unescaped);
    }
    if normalize && !is_canonical(&now) {
        match canonical(&now) {
            Some(path) => now = Cow::Owned(path),
            None => return Normalized::Refused,
        }
    }
    if merge_slashes && now.contains("//") {
        now = Cow::Owned(merged(&now));
    }
    match now {
        Cow::Borrowed(_) => Normalized::Same,
        Cow::Owned(path) if redirect => Normalized::Redirect(path + query),
        Cow::Owned(path) => Normalized::Changed(path + query),
    }
}

/// `%2F` and `%5C` as the characters they stand for; `None` if there is none.
fn unescape_slashes(path: &str) -> Option<String> {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    let mut found = false;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let slash = match rest.as_bytes().get(at + 1..at + 3) {
            Some([b'2', b'f' | b'F']) => '/',
            Some([b'5', b'c' | b'C']) => '\\',
            _ => {
                out.push('%');
                rest = &rest[at + 1..];
                continue;
            }
        };
        found = true;
        out.push(slash);
        rest = &rest[at + 3..];
    }
    out.push_str(rest);
    found.then_some(out)
}

/// Whether the canonical form is the path itself, told without building it.
fn is_canonical(path: &str) -> bool {
    let bytes = path.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' | b'\\' => false,
        b'.' => at == 0 || bytes[at - 1] != b'/',
        byte => !must_escape(*byte),
    })
}

/// Characters that stand percent-encoded in a canonical path.
fn must_escape(byte: u8) -> bool {
    matches!(byte, 0..=b' ' | b'"' | b'#' | b'<' | b'>' | b'?' | b'^' | b'`' | b'{' | b'}' | 0x7f..)
}

/// RFC 3986's unreserved characters, which need no encoding.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// The canonical form; `None` if the path holds a NUL.
fn canonical(path: &str) -> Option<String> {
    let mut out: Vec<u8> = Vec::with_capacity(path.len() + 8);
    for segment in segments(path) {
        let segment = canonical_segment(segment)?;
        match segment.as_slice() {
            // The dots vanish, the slash that followed them stays with what came before.
            b"." => {}
            b".." => {
                let parent = out.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
                out.truncate(parent);
            }
            segment => {
                out.push(b'/');
                out.extend_from_slice(segment);
            }
        }
    }
    if out.is_empty() || ends_in_dots(path) {
        out.push(b'/');
    }
    Some(String::from_utf8(out).expect("escaping leaves only ASCII"))
}

/// What stands between slashes; a backslash counts as one. The path begins with a slash.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split(['/', '\\']).skip(1)
}

/// Whether the last segment is `.` or `..`, in any spelling: then the path ends in a slash.
fn ends_in_dots(path: &str) -> bool {
    let last = segments(path).last().and_then(canonical_segment);
    last.is_some_and(|last| matches!(last.as_slice(), b"." | b".."))
}

fn canonical_segment(segment: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        let pair = || {
            let mut ahead = bytes.clone();
            let (high, low) = (ahead.next()?, ahead.next()?);
            let value = hex(high)? * 16 + hex(low)?;
            Some((high, low, value))
        };
        match byte {
            b'%' => match pair() {
                Some((_, _, 0)) => return None,
                Some((high, low, value)) => {
                    if is_unreserved(value) {
                        out.push(value);
                    } else {
                        out.extend_from_slice(&[b'%', high, low]);
                    }
                    bytes.nth(1);
                }
                None => out.push(b'%'),
            },
            0 => return None,
            byte if must_escape(byte) => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            byte => out.push(byte),
        }
    }
    Some(out)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Runs of slashes become one.
fn merged(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for char in path.chars() {
        if char != '/' || !out.ends_with('/') {
            out.push(char);
        }
    }
    out
}
