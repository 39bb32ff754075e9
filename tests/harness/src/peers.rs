//! Other people's programs that we are compared with: `tests/setup` puts them into `.peers/bin`.
//!
//! One rule: a missing peer is said aloud, and under `TOMBOLO_STRICT=1` it fails the test.

use std::path::PathBuf;

/// The program, or nothing after having said that the test is skipped.
pub fn peer(name: &str) -> Option<PathBuf> {
    let path = crate::workspace::root().join(".peers/bin").join(name);
    if path.exists() {
        return Some(path);
    }
    let text = format!("skipped: {name} is missing, run tests/setup");
    assert!(std::env::var("TOMBOLO_STRICT").as_deref() != Ok("1"), "{text}");
    eprintln!("{text}");
    None
}
