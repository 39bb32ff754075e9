//! Bytes as they come off a network: in pieces.

use bytes::BytesMut;

/// Sizes of pieces, one for each value of the byte that chooses.
const SIZES: [usize; 8] = [1, 2, 3, 5, 7, 16, 61, 4096];

/// The size that a byte chooses.
#[must_use]
pub fn size(choice: u8) -> usize {
    SIZES[usize::from(choice % 8)]
}

/// Feeds `bytes` in pieces to `step` until it gives something; then also what was not taken of them.
pub fn feed<T>(
    bytes: &[u8],
    size: usize,
    mut step: impl FnMut(&mut BytesMut) -> Option<T>,
) -> (Option<T>, Vec<u8>) {
    let mut input = BytesMut::new();
    let mut rest = bytes;
    loop {
        if let Some(found) = step(&mut input) {
            return (Some(found), [&input[..], rest].concat());
        }
        if rest.is_empty() {
            return (None, input.to_vec());
        }
        let (piece, later) = rest.split_at(size.min(rest.len()));
        input.extend_from_slice(piece);
        rest = later;
    }
}
