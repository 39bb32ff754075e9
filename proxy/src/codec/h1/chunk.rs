//! Reads a chunked body (RFC 9112 §7.1). Extensions are read and dropped; the answer does not depend on how the
//! bytes are cut into segments.

use bytes::{Buf, Bytes, BytesMut};
use http::header::HeaderValue;
use memchr::memchr;

use super::fault::Fault;
use super::fields::is_hop_by_hop_extension;
use super::request::fault;
use super::scan::HeadScan;
use crate::fields::{Fields, Name};
use crate::limits::{CHUNK_EXTENSION_BYTES_MAX, CHUNK_LINE_BYTES_MAX, HEADERS_COUNT_MAX, TRAILER_BYTES_MAX};

/// What was cut out of the input.
#[derive(Debug)]
pub enum Step {
    /// Bytes of the body, never empty.
    Data(Bytes),
    /// The trailer section, without fields that frame or route; the body has ended.
    Trailers(Fields),
    /// The body has ended.
    End,
    /// More input is needed.
    More,
}

/// Where in a chunked body the input stands.
#[derive(Debug, Default)]
pub struct Chunked {
    at: At,
    extension_bytes: usize,
}

#[derive(Debug, Default)]
enum At {
    #[default]
    Size,
    Data(u64),
    DataEnd,
    Trailers(HeadScan),
    End,
}

impl Chunked {
    /// Takes the next piece from the start of `input`.
    pub fn step(&mut self, input: &mut BytesMut) -> Result<Step, Fault> {
        loop {
            match &mut self.at {
                At::Size => match self.size_line(input)? {
                    None => return Ok(Step::More),
                    Some(0) => self.at = At::Trailers(HeadScan::default()),
                    Some(size) => self.at = At::Data(size),
                },
                At::Data(left) => {
                    if input.is_empty() {
                        return Ok(Step::More);
                    }
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                    *left -= taken as u64;
                    if *left == 0 {
                        self.at = At::DataEnd;
                    }
                    return Ok(Step::Data(input.split_to(taken).freeze()));
                }
                At::DataEnd => {
                    if !b"\r\n".starts_with(&input[..input.len().min(2)]) {
                        return Err(Fault::Malformed("chunk is longer than its size says"));
                    }
                    if input.len() < 2 {
                        return Ok(Step::More);
                    }
                    input.advance(2);
                    self.at = At::Size;
                }
                At::Trailers(scan) => {
                    let Some(length) = scan.find(input, TRAILER_BYTES_MAX)? else { return Ok(Step::More) };
                    self.at = At::End;
                    let section = input.split_to(length).freeze();
                    if length > 2 {
                        let trailers = trailers(&section)?;
                        if !trailers.is_empty() {
                            return Ok(Step::Trailers(trailers));
                        }
                    }
                }
                At::End => return Ok(Step::End),
            }
        }
    }

    /// Whether the last chunk and the trailer section were taken.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.at, At::End)
    }

    /// Takes `chunk-size [ chunk-ext ] CRLF`.
    fn size_line(&mut self, input: &mut BytesMut) -> Result<Option<u64>, Fault> {
        let window = &input[..input.len().min(CHUNK_LINE_BYTES_MAX)];
        check_size_begins(window)?;
        let line = match memchr(b'\n', window) {
            Some(newline) => &window[..newline],
            None if input.len() >= CHUNK_LINE_BYTES_MAX => {
                return Err(Fault::Malformed("chunk size line is too long"));
            }
            None => return Ok(None),
        };
        let Some(line) = line.strip_suffix(b"\r") else {
            return Err(Fault::Malformed("chunk size line ends in a bare LF"));
        };
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let size = hexadecimal(&line[..digits])?;
        let extension = &line[digits..];
        check_extension(extension)?;
        self.extension_bytes += extension.len();
        if self.extension_bytes > CHUNK_EXTENSION_BYTES_MAX {
            return Err(Fault::Malformed("chunk extensions are larger than accepted"));
        }
        let taken = line.len() + 2;
        input.advance(taken);
        Ok(Some(size))
    }
}

/// A size that is wrong already need not be waited for.
fn check_size_begins(begun: &[u8]) -> Result<(), Fault> {
    match begun.first() {
        Some(byte) if !byte.is_ascii_hexdigit() => Err(Fault::Malformed("chunk size is not hexadecimal")),
        _ => Ok(()),
    }
}

fn hexadecimal(digits: &[u8]) -> Result<u64, Fault> {
    if digits.len() > 16 {
        return Err(Fault::Malformed("chunk size has more than 16 digits"));
    }
    let value = |digit: &u8| match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'A' + 10,
    };
    Ok(digits.iter().fold(0, |sum, digit| (sum << 4) | u64::from(value(digit))))
}

/// `*( BWS ";" … )`: white space only in front of a semicolon, and no control characters.
fn check_extension(extension: &[u8]) -> Result<(), Fault> {
    let wrong = || Err(Fault::Malformed("chunk size is followed by something that is no extension"));
    if extension.is_empty() {
        return Ok(());
    }
    if extension.trim_ascii_start().first() != Some(&b';') {
        return wrong();
    }
    if extension.iter().any(|byte| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f) {
        return wrong();
    }
    Ok(())
}

fn trailers(section: &Bytes) -> Result<Fields, Fault> {
    let mut slots = [httparse::EMPTY_HEADER; HEADERS_COUNT_MAX];
    let fields = match httparse::parse_headers(section, &mut slots) {
        Ok(httparse::Status::Complete((length, fields))) if length == section.len() => fields,
        Ok(_) => return Err(Fault::Malformed("trailer section does not end where its empty line is")),
        Err(error) => return Err(fault(error)),
    };
    let mut map = Fields::with_capacity(fields.len());
    for field in fields {
        let name = Name::read(section, field.name.as_bytes())
            .ok_or(Fault::Malformed("trailer name is not a token"))?;
        let value = HeaderValue::from_maybe_shared(section.slice_ref(field.value))
            .map_err(|_invalid| Fault::Malformed("trailer value has a control character"))?;
        if may_trail(name.as_bytes()) {
            map.append(name, value);
        }
    }
    Ok(map)
}

/// Fields that frame, route or control the connection are never trailers (RFC 9110 §6.5.1).
#[must_use]
pub fn may_trail(name: &[u8]) -> bool {
    !matches!(
        name,
        b"content-length"
            | b"transfer-encoding"
            | b"connection"
            | b"host"
            | b"te"
            | b"trailer"
            | b"upgrade"
            | b"expect"
            | b"authorization"
            | b"cookie"
            | b"set-cookie"
            | b"content-encoding"
            | b"content-type"
            | b"content-range"
    ) && !is_hop_by_hop_extension(name)
}
