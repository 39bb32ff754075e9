//! The PROXY protocol (haproxy.org/download/2.9/doc/proxy-protocol.txt): who asked, told on a connection's first bytes.

/// Which form a header has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyProtocolVersion {
    /// A line of text.
    V1,
    /// Binary, with room for more (TLVs).
    V2,
}

/// Which TLVs of a header are passed on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TlvSelection {
    /// None.
    #[default]
    None,
    /// All.
    All,
    /// Those of these types; may be empty.
    Types(Vec<u8>),
}

/// Something a header says beside the addresses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tlv {
    /// What it is about.
    pub kind: u8,
    /// What it says.
    pub value: Vec<u8>,
}

impl TlvSelection {
    /// Whether TLVs of a type are passed on.
    #[must_use]
    pub fn holds(&self, kind: u8) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Types(kinds) => kinds.contains(&kind),
        }
    }
}

/// What a listener makes of a header (`ProxyProtocol`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProxyProtocolFilter {
    /// Whether a connection without the header is served as it is.
    pub allow_requests_without_proxy_protocol: bool,
    /// Which TLVs are kept for endpoints.
    pub pass_through: TlvSelection,
    /// Forms that are refused, or, where none is needed, taken for no header.
    pub disallowed_versions: Vec<ProxyProtocolVersion>,
    /// Name in metrics; may be empty.
    pub stat_prefix: String,
}
