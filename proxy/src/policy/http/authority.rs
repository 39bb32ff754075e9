//! The authority as routes see it: without the dot at its end and without a port, where that is configured.

use xds::model::StripPort;

use crate::policy::port::port_start;

/// The authority without the dot at the end of its host; `None` if there is none.
pub(super) fn without_trailing_dot(authority: &str) -> Option<String> {
    let dot = authority.rfind('.')?;
    let rest = &authority[dot + 1..];
    // A dot right before a colon ends the host; an IPv6 literal never has one there.
    (rest.is_empty() || rest.starts_with(':')).then(|| format!("{}{rest}", &authority[..dot]))
}

/// The host and the port to cut off; `None` if nothing is to be cut.
pub(super) fn without_port(
    authority: &str,
    strip: StripPort,
    listener_port: Option<u16>,
) -> Option<(&str, &str)> {
    if strip == StripPort::None {
        return None;
    }
    let colon = port_start(authority)?;
    let (host, port) = (&authority[..colon], &authority[colon + 1..]);
    let number: u32 = port.parse().ok()?;
    let cut = strip == StripPort::Any || listener_port.map(u32::from) == Some(number);
    cut.then_some((host, port))
}
