//! Field lines as senders may write them.

use fastrand::Rng;

/// A field line with the white space and letters that a sender may choose.
pub fn line(rng: &mut Rng, name: &str, value: &[u8]) -> Vec<u8> {
    let name = match rng.u8(..4) {
        0 => name.to_ascii_uppercase(),
        1 => name
            .chars()
            .enumerate()
            .map(|(at, c)| if at % 2 == 0 { c.to_ascii_uppercase() } else { c })
            .collect(),
        _ => name.to_owned(),
    };
    // Not often: nginx takes a tab for a part of the value.
    let (before, after) = match rng.u8(..16) {
        0 => {
            (*rng.choice(&["\t", "  \t "]).expect("blanks"), *rng.choice(&["", " ", "\t "]).expect("blanks"))
        }
        1..=4 => ("", " "),
        _ => (" ", ""),
    };
    [name.as_bytes(), b":", before.as_bytes(), value, after.as_bytes(), b"\r\n"].concat()
}
