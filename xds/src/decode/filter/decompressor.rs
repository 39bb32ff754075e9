//! Decompression (`envoy.extensions.filters.http.decompressor.v3`).

use envoy_types::pb::envoy::config::core::v3::{RuntimeFeatureFlag, TypedExtensionConfig};
use envoy_types::pb::envoy::extensions::compression::brotli::decompressor::v3::Brotli;
use envoy_types::pb::envoy::extensions::compression::gzip::decompressor::v3::Gzip;
use envoy_types::pb::envoy::extensions::compression::zstd::decompressor::v3::Zstd;
use envoy_types::pb::envoy::extensions::filters::http::decompressor::v3 as pb;
use envoy_types::pb::google::protobuf::{Any, UInt32Value};
use pb::decompressor::{CommonDirectionConfig, RequestDirectionConfig, ResponseDirectionConfig};

use super::super::any;
use super::super::path::{Invalid, Path, absent};
use super::super::scalar;
use crate::model::{DecompressDirection, Decompressor, DecompressorLibrary};

/// Envoy's bytes at a time, for every library.
const CHUNK_BYTES: u32 = 4096;
/// Envoy's bound for gzip.
const MAX_INFLATE_RATIO: u32 = 100;

/// The filter in a chain.
pub(super) fn filter(path: &Path<'_>, filter: &pb::Decompressor) -> Result<Decompressor, Invalid> {
    let pb::Decompressor { decompressor_library, request_direction_config, response_direction_config } =
        filter;
    let at = path.field("decompressor_library");
    let TypedExtensionConfig { name, typed_config } = at.required(decompressor_library)?;
    let name_at = at.field("name");
    let name = name_at.non_empty(name)?;
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        // Trailers that tell sizes are called after it.
        return name_at.refuse(format!("{name:?} has more than letters, digits, `-`, `_` and `.`"));
    }
    let at = at.field("typed_config");
    let (library, chunk_bytes) = library(&at, &name, at.required(typed_config)?)?;
    let default = RequestDirectionConfig::default();
    let RequestDirectionConfig { common_config, advertise_accept_encoding } =
        request_direction_config.as_ref().unwrap_or(&default);
    let request = direction(common_config.as_ref());
    let response = match response_direction_config {
        Some(ResponseDirectionConfig { common_config }) => direction(common_config.as_ref()),
        None => direction(None),
    };
    Ok(Decompressor {
        name,
        library,
        chunk_bytes,
        request,
        response,
        advertise_accept_encoding: scalar::switch(advertise_accept_encoding, true),
    })
}

fn direction(config: Option<&CommonDirectionConfig>) -> DecompressDirection {
    let Some(CommonDirectionConfig { enabled, ignore_no_transform_header }) = config else {
        return DecompressDirection { enabled: true, ignore_no_transform_header: false };
    };
    let enabled = match enabled {
        // Runtime values do not reach flags; the default stands.
        Some(RuntimeFeatureFlag { default_value, runtime_key: _ }) => scalar::switch(default_value, false),
        None => true,
    };
    DecompressDirection { enabled, ignore_no_transform_header: *ignore_no_transform_header }
}

/// How, and how many bytes at a time.
fn library(path: &Path<'_>, name: &str, config: &Any) -> Result<(DecompressorLibrary, u32), Invalid> {
    let ranged = |name: &str, value: &Option<UInt32Value>, low: u32, high: u32, default: u32| {
        Ok(path.field(name).ranged(value, low..=high)?.unwrap_or(default))
    };
    let chunk = |value: &Option<UInt32Value>| ranged("chunk_size", value, 4096, 65536, CHUNK_BYTES);
    if let Some(gzip) = any::unpack_if::<Gzip>(path, config)? {
        let Gzip { window_bits, chunk_size, max_inflate_ratio } = &gzip;
        // Every window that the format knows is read, so that a smaller one changes nothing a reader sees.
        ranged("window_bits", window_bits, 9, 15, 15)?;
        let max_inflate_ratio = ranged("max_inflate_ratio", max_inflate_ratio, 1, 1032, MAX_INFLATE_RATIO)?;
        return Ok((DecompressorLibrary::Gzip { max_inflate_ratio }, chunk(chunk_size)?));
    }
    if let Some(brotli) = any::unpack_if::<Brotli>(path, config)? {
        // When the window's memory is taken, which nobody sees.
        let Brotli { disable_ring_buffer_reallocation: _, chunk_size } = &brotli;
        return Ok((DecompressorLibrary::Brotli, chunk(chunk_size)?));
    }
    if let Some(zstd) = any::unpack_if::<Zstd>(path, config)? {
        let Zstd { dictionaries, chunk_size } = &zstd;
        absent!(path; dictionaries);
        return Ok((DecompressorLibrary::Zstd, chunk(chunk_size)?));
    }
    any::unknown(path, name, config, "Gzip, Brotli, Zstd")
}
