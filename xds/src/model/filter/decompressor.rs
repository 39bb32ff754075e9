//! Decompression (`envoy.extensions.filters.http.decompressor.v3.Decompressor`).

/// What is decompressed, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decompressor {
    /// The library's name in the configuration, under which it counts and tells sizes.
    pub name: String,
    /// How.
    pub library: DecompressorLibrary,
    /// Bytes that are made at a time: 4096 to 65536.
    pub chunk_bytes: u32,
    /// Bodies of requests.
    pub request: DecompressDirection,
    /// Bodies of responses.
    pub response: DecompressDirection,
    /// Whether upstreams are told that the encoding is accepted, if bodies of responses are decompressed.
    pub advertise_accept_encoding: bool,
}

/// Which bodies of a direction are decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecompressDirection {
    /// Whether any is.
    pub enabled: bool,
    /// Whether those are, too, that say `no-transform`.
    pub ignore_no_transform_header: bool,
}

/// How bodies are decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecompressorLibrary {
    /// `gzip` (RFC 1952).
    Gzip {
        /// How many times longer than what came a body may become: 1 to 1032.
        max_inflate_ratio: u32,
    },
    /// `br` (RFC 7932).
    Brotli,
    /// `zstd` (RFC 8878).
    Zstd,
}

impl DecompressorLibrary {
    /// The name in `content-encoding`.
    #[must_use]
    pub fn encoding(self) -> &'static str {
        match self {
            Self::Gzip { .. } => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}
