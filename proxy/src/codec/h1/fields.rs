//! Takes a head's fields apart: end-to-end fields into a map, hop-by-hop fields (RFC 9110 §7.6.1) into [`Facts`].

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};

use super::fault::Fault;
use crate::fields::{Fields, Name};
use crate::limits::CONNECTION_OPTIONS_MAX;

/// Which kind of head the fields stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A request: `Host` and `Expect` mean something, and doubts are refused.
    Request,
    /// A response.
    Response,
}

/// What `Transfer-Encoding` said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Coding {
    /// Nothing.
    #[default]
    Absent,
    /// Exactly `chunked`.
    Chunked,
    /// Anything else, or more than one field.
    Other,
}

/// What the fields said that concern this connection only.
#[derive(Debug, Default)]
pub struct Facts {
    /// `Content-Length`, which also stays in the map.
    pub content_length: Option<u64>,
    /// `Transfer-Encoding`.
    pub coding: Coding,
    /// `Connection: close`.
    pub close: bool,
    /// `Connection: keep-alive`.
    pub keep_alive: bool,
    /// `Connection: upgrade`.
    pub upgrade_nominated: bool,
    /// `Upgrade`, as sent.
    pub upgrade: Option<Bytes>,
    /// `Host`, in a request.
    pub host: Option<Bytes>,
    /// `Expect: 100-continue`, in a request.
    pub expects_continue: bool,
    te_trailers: bool,
    options: usize,
    nominated: Vec<HeaderName>,
}

/// Sorts `raw`, which must lie inside `head`. Content-Length and Host may come once only.
pub fn sort(head: &Bytes, raw: &[httparse::Header<'_>], kind: Kind) -> Result<(Fields, Facts), Fault> {
    let mut fields = Fields::with_capacity(raw.len());
    let mut facts = Facts::default();
    for field in raw {
        let name =
            Name::read(head, field.name.as_bytes()).ok_or(Fault::Malformed("field name is not a token"))?;
        let value = head.slice_ref(field.value);
        if facts.take(name.as_bytes(), &value, kind)? {
            let value = HeaderValue::from_maybe_shared(value)
                .map_err(|_invalid| Fault::Malformed("field value has a control character"))?;
            fields.append(name, value);
        }
    }
    for name in &facts.nominated {
        fields.remove(name);
    }
    if facts.te_trailers {
        fields.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    Ok((fields, facts))
}

impl Facts {
    /// Notes what a field says to this hop; tells whether it is end-to-end and goes on.
    fn take(&mut self, name: &[u8], value: &Bytes, kind: Kind) -> Result<bool, Fault> {
        match name {
            b"content-length" => {
                if self.content_length.replace(decimal(value)?).is_some() {
                    return Err(Fault::Malformed("content-length comes more than once"));
                }
                return Ok(true);
            }
            b"transfer-encoding" => {
                let exact = value.eq_ignore_ascii_case(b"chunked");
                self.coding = match (self.coding, exact) {
                    (Coding::Absent, true) => Coding::Chunked,
                    _ => Coding::Other,
                };
            }
            b"connection" => self.take_options(value, kind)?,
            b"upgrade" => {
                if !value.is_empty() && self.upgrade.is_none() {
                    self.upgrade = Some(value.clone());
                }
            }
            b"te" => self.te_trailers |= tokens(value).any(is_trailers),
            b"host" if kind == Kind::Request => {
                if self.host.replace(value.clone()).is_some() {
                    return Err(Fault::Malformed("host comes more than once"));
                }
            }
            b"expect" if kind == Kind::Request && value.eq_ignore_ascii_case(b"100-continue") => {
                self.expects_continue = true;
            }
            _ => return Ok(!is_hop_by_hop_extension(name)),
        }
        Ok(false)
    }

    fn take_options(&mut self, value: &[u8], kind: Kind) -> Result<(), Fault> {
        for option in tokens(value) {
            self.options += 1;
            if self.options > CONNECTION_OPTIONS_MAX {
                return Err(Fault::Malformed("connection has too many options"));
            }
            if option.eq_ignore_ascii_case(b"close") {
                self.close = true;
            } else if option.eq_ignore_ascii_case(b"keep-alive") {
                self.keep_alive = true;
            } else if option.eq_ignore_ascii_case(b"upgrade") {
                self.upgrade_nominated = true;
            } else {
                self.nominate(option, kind)?;
            }
        }
        Ok(())
    }

    /// Marks a field for removal. Framing fields and `te` have their own rules and cannot be talked away.
    fn nominate(&mut self, option: &[u8], kind: Kind) -> Result<(), Fault> {
        match HeaderName::from_bytes(option) {
            Ok(header::HOST) if kind == Kind::Request => {
                return Err(Fault::Malformed("connection names host, which is for every hop"));
            }
            Ok(header::TE | header::CONTENT_LENGTH | header::TRANSFER_ENCODING | header::HOST) => {}
            Ok(name) => self.nominated.push(name),
            Err(_) if kind == Kind::Response => {}
            Err(_) => return Err(Fault::Malformed("connection option is not a token")),
        }
        Ok(())
    }
}

/// Fields for one hop that predate or extend the standard's list.
#[must_use]
pub fn is_hop_by_hop_extension(name: &[u8]) -> bool {
    matches!(name, b"keep-alive" | b"proxy-connection" | b"http2-settings")
}

/// The elements of a comma-separated list, trimmed, without empty ones (RFC 9110 §5.6.1).
pub fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|token| !token.is_empty())
}

fn is_trailers(coding: &[u8]) -> bool {
    let name = coding.split(|byte| *byte == b';').next().unwrap_or(coding);
    name.trim_ascii().eq_ignore_ascii_case(b"trailers")
}

/// `1*DIGIT` and nothing else: no sign, no list, no white space (RFC 9110 §8.6).
fn decimal(text: &[u8]) -> Result<u64, Fault> {
    let digits = !text.is_empty() && text.len() <= 19 && text.iter().all(u8::is_ascii_digit);
    if !digits {
        return Err(Fault::Malformed("content-length is not one decimal number of at most 19 digits"));
    }
    // Nineteen digits are below 2^64, so this cannot overflow.
    Ok(text.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}
