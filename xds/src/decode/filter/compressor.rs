//! Compression (`envoy.extensions.filters.http.compressor.v3`).

use envoy_types::pb::envoy::config::core::v3::{RuntimeFeatureFlag, TypedExtensionConfig};
use envoy_types::pb::envoy::extensions::compression::brotli::compressor::v3::Brotli;
use envoy_types::pb::envoy::extensions::compression::gzip::compressor::v3::Gzip;
use envoy_types::pb::envoy::extensions::compression::zstd::compressor::v3::Zstd;
use envoy_types::pb::envoy::extensions::filters::http::compressor::v3 as pb;
use envoy_types::pb::google::protobuf::UInt32Value;
use pb::compressor::{CommonDirectionConfig, RequestDirectionConfig, ResponseDirectionConfig};
use pb::compressor_per_route::Override;

use super::super::any;
use super::super::matcher;
use super::super::path::{Invalid, Path, absent};
use super::super::scalar;
use crate::model::{CompressDirection, Compressor, CompressorLibrary, CompressorPerRoute, StringMatcher};

/// Envoy's shortest body.
const MIN_CONTENT_LENGTH: u32 = 30;
/// Envoy's brotli quality and window.
const BROTLI: (u32, u32) = (3, 18);

/// The filter in a chain.
pub(super) fn filter(path: &Path<'_>, filter: &pb::Compressor) -> Result<Compressor, Invalid> {
    let pb::Compressor {
        content_length,
        content_type,
        disable_on_etag_header,
        remove_accept_encoding_header,
        runtime_enabled,
        compressor_library,
        request_direction_config,
        response_direction_config,
        choose_first,
    } = filter;
    let at = path.field("compressor_library");
    let library = library(&at, at.required(compressor_library)?)?;
    let at = path.field("request_direction_config");
    let request = match request_direction_config {
        Some(RequestDirectionConfig { common_config }) => {
            Some(direction(&at.field("common_config"), common_config.as_ref(), false)?)
        }
        None => None,
    };
    // The older form, in place of which a response_direction_config stands.
    let older = ResponseDirectionConfig {
        common_config: Some(CommonDirectionConfig {
            enabled: runtime_enabled.clone(),
            min_content_length: *content_length,
            content_type: content_type.clone(),
            ..Default::default()
        }),
        disable_on_etag_header: *disable_on_etag_header,
        remove_accept_encoding_header: *remove_accept_encoding_header,
        ..Default::default()
    };
    let at = path.field("response_direction_config");
    let ResponseDirectionConfig {
        common_config,
        disable_on_etag_header,
        weaken_etag_on_compress,
        remove_accept_encoding_header,
        uncompressible_response_codes,
        status_header_enabled,
    } = response_direction_config.as_ref().unwrap_or(&older);
    at.field("status_header_enabled").absent(status_header_enabled)?;
    let status = |at: &Path<'_>, code: &u32| {
        let code = at.within(*code, &(200..=599))?;
        u16::try_from(code).map_err(|_| at.invalid("is not a status"))
    };
    Ok(Compressor {
        library,
        request,
        response: direction(&at.field("common_config"), common_config.as_ref(), true)?,
        disable_on_etag_header: *disable_on_etag_header,
        weaken_etag_on_compress: *weaken_etag_on_compress,
        remove_accept_encoding_header: *remove_accept_encoding_header,
        uncompressible_response_codes: at
            .field("uncompressible_response_codes")
            .each(uncompressible_response_codes, status)?,
        choose_first: *choose_first,
    })
}

/// The filter on a host or route.
pub(super) fn per_route(
    path: &Path<'_>,
    settings: &pb::CompressorPerRoute,
) -> Result<CompressorPerRoute, Invalid> {
    let pb::CompressorPerRoute { r#override } = settings;
    match r#override {
        Some(Override::Disabled(true)) => Ok(CompressorPerRoute::Disabled),
        Some(Override::Disabled(false)) => path.field("disabled").refuse("must be true or left out"),
        Some(Override::Overrides(overrides)) => {
            let path = path.field("overrides");
            let pb::CompressorOverrides { response_direction_config, compressor_library } = overrides;
            absent!(path; compressor_library);
            let remove = response_direction_config.as_ref().and_then(|config| {
                let pb::ResponseDirectionOverrides { remove_accept_encoding_header } = config;
                remove_accept_encoding_header.as_ref().map(|remove| remove.value)
            });
            Ok(CompressorPerRoute::Overrides { remove_accept_encoding_header: remove })
        }
        None => path.refuse("is empty; accepted: disabled, overrides"),
    }
}

fn direction(
    path: &Path<'_>,
    config: Option<&CommonDirectionConfig>,
    enabled_unset: bool,
) -> Result<CompressDirection, Invalid> {
    let default = CommonDirectionConfig::default();
    let CommonDirectionConfig { enabled, min_content_length, content_type, content_type_matcher } =
        config.unwrap_or(&default);
    let exact = content_type.iter().map(|text| StringMatcher::exact(text.as_str()));
    let matchers = path.field("content_type_matcher").each(content_type_matcher, matcher::string)?;
    let enabled = match enabled {
        // Runtime values do not reach flags; the default stands.
        Some(RuntimeFeatureFlag { default_value, runtime_key: _ }) => scalar::switch(default_value, false),
        None => enabled_unset,
    };
    Ok(CompressDirection {
        enabled,
        min_content_length: min_content_length.as_ref().map_or(MIN_CONTENT_LENGTH, |min| min.value),
        content_type: exact.chain(matchers).collect(),
    })
}

fn library(path: &Path<'_>, library: &TypedExtensionConfig) -> Result<CompressorLibrary, Invalid> {
    let TypedExtensionConfig { name, typed_config } = library;
    let path = path.field("typed_config");
    let config = path.required(typed_config)?;
    let ranged = |name: &str, value: &Option<UInt32Value>, low: u32, high: u32, default: u32| {
        Ok(path.field(name).ranged(value, low..=high)?.unwrap_or(default))
    };
    if let Some(gzip) = any::unpack_if::<Gzip>(&path, config)? {
        // How much memory is spent, which trades nothing a reader sees: any window up to the format's 32 KiB is read
        // by all.
        let Gzip {
            compression_level,
            memory_level: _,
            compression_strategy: _,
            window_bits: _,
            chunk_size: _,
        } = gzip;
        let level = u32::try_from(compression_level).ok().filter(|level| *level <= 9);
        let level = level.ok_or_else(|| path.field("compression_level").invalid("is not a known value"))?;
        return Ok(CompressorLibrary::Gzip { level: Some(level).filter(|level| *level > 0) });
    }
    if let Some(brotli) = any::unpack_if::<Brotli>(&path, config)? {
        let Brotli {
            quality,
            window_bits,
            disable_literal_context_modeling,
            // Hints to the encoder, and sizes of its buffers.
            encoder_mode: _,
            input_block_bits: _,
            chunk_size: _,
        } = &brotli;
        absent!(path; disable_literal_context_modeling);
        return Ok(CompressorLibrary::Brotli {
            quality: ranged("quality", quality, 0, 11, BROTLI.0)?,
            window_bits: ranged("window_bits", window_bits, 10, 24, BROTLI.1)?,
        });
    }
    if let Some(zstd) = any::unpack_if::<Zstd>(&path, config)? {
        // A strategy is a hint to the encoder, a chunk the size of its buffers.
        let Zstd { compression_level, enable_checksum, dictionary, strategy: _, chunk_size: _ } = &zstd;
        absent!(path; dictionary);
        return Ok(CompressorLibrary::Zstd {
            level: ranged("compression_level", compression_level, 0, 22, 0)?,
            checksum: *enable_checksum,
        });
    }
    any::unknown(&path, name, config, "Gzip, Brotli, Zstd")
}
