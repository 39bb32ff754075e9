//! Compression (`envoy.extensions.filters.http.compressor.v3.Compressor`).

use crate::model::StringMatcher;

/// What is compressed, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Compressor {
    /// How.
    pub library: CompressorLibrary,
    /// Bodies of requests; `None`: none.
    pub request: Option<CompressDirection>,
    /// Bodies of responses.
    pub response: CompressDirection,
    /// Whether responses with an `etag` are left as they are.
    pub disable_on_etag_header: bool,
    /// Whether a strong `etag` of a response becomes a weak one; else it is removed.
    pub weaken_etag_on_compress: bool,
    /// Whether upstreams do not see `accept-encoding`.
    pub remove_accept_encoding_header: bool,
    /// Responses with these statuses are left as they are.
    pub uncompressible_response_codes: Vec<u16>,
    /// Whether, of encodings that a client likes alike, this one is taken before those it names first.
    pub choose_first: bool,
}

/// Which bodies of a direction are compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompressDirection {
    /// Whether any is.
    pub enabled: bool,
    /// Those whose declared length is at least this; Envoy's default is 30.
    pub min_content_length: u32,
    /// Those of these types; empty: Envoy's list.
    pub content_type: Vec<StringMatcher>,
}

/// How bodies are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompressorLibrary {
    /// `gzip` (RFC 1952); `None` is the library's default level, else 1 to 9.
    Gzip {
        /// The level.
        level: Option<u32>,
    },
    /// `br` (RFC 7932).
    Brotli {
        /// 0 to 11.
        quality: u32,
        /// 10 to 24.
        window_bits: u32,
    },
    /// `zstd` (RFC 8878).
    Zstd {
        /// 0 is the library's default, else up to 22.
        level: u32,
        /// Whether frames end with a checksum.
        checksum: bool,
    },
}

impl CompressorLibrary {
    /// The name in `content-encoding`.
    #[must_use]
    pub fn encoding(self) -> &'static str {
        match self {
            Self::Gzip { .. } => "gzip",
            Self::Brotli { .. } => "br",
            Self::Zstd { .. } => "zstd",
        }
    }
}

/// What a host or route says in place of the chain's filter (`CompressorPerRoute`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompressorPerRoute {
    /// Nothing is compressed.
    Disabled,
    /// Responses are, whatever the chain says, and whether upstreams do not see `accept-encoding`.
    Overrides {
        /// `None`: as the chain has it.
        remove_accept_encoding_header: Option<bool>,
    },
}
