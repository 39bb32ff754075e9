//! Finds the end of a head without reading any byte twice, however it is cut into segments.
//!
//! Lines end in CRLF. RFC 9112 §2.2 lets a reader take a bare LF too; two proxies that differ on it disagree on
//! where a message ends, so here it is refused.

use memchr::memchr;

use super::fault::Fault;

/// How far a head was looked through.
#[derive(Debug, Default, Clone, Copy)]
pub struct HeadScan {
    seen: usize,
    line: usize,
}

impl HeadScan {
    /// The length of the head at the start of `input`, with its empty line; `None` if the empty line is yet to
    /// come. `input` must begin with what earlier calls saw. Past `bytes_max` it is a [`Fault::TooLarge`].
    pub fn find(&mut self, input: &[u8], bytes_max: usize) -> Result<Option<usize>, Fault> {
        let window = &input[..input.len().min(bytes_max)];
        while let Some(found) = memchr(b'\n', &window[self.seen..]) {
            let newline = self.seen + found;
            if newline == self.line || window[newline - 1] != b'\r' {
                return Err(Fault::Malformed("line ends in a bare LF"));
            }
            let empty = newline == self.line + 1;
            self.seen = newline + 1;
            self.line = self.seen;
            if empty {
                return Ok(Some(self.seen));
            }
        }
        self.seen = window.len();
        if input.len() > bytes_max {
            return Err(Fault::TooLarge("section is larger than its limit"));
        }
        Ok(None)
    }
}
