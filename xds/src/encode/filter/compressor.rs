//! Compression.

use envoy_types::pb::envoy::config::core::v3::{RuntimeFeatureFlag, TypedExtensionConfig};
use envoy_types::pb::envoy::extensions::compression::brotli::compressor::v3::Brotli;
use envoy_types::pb::envoy::extensions::compression::gzip::compressor::v3::Gzip;
use envoy_types::pb::envoy::extensions::compression::zstd::compressor::v3::Zstd;
use envoy_types::pb::envoy::extensions::filters::http::compressor::v3 as pb;
use pb::compressor::{CommonDirectionConfig, RequestDirectionConfig, ResponseDirectionConfig};
use pb::compressor_per_route::Override;

use super::super::{matcher, scalar};
use crate::model::{CompressDirection, Compressor, CompressorLibrary, CompressorPerRoute};

pub(super) fn filter(filter: &Compressor) -> pb::Compressor {
    let Compressor {
        library: how,
        request,
        response,
        disable_on_etag_header,
        weaken_etag_on_compress,
        remove_accept_encoding_header,
        uncompressible_response_codes,
        choose_first,
    } = filter;
    pb::Compressor {
        compressor_library: Some(library(*how)),
        request_direction_config: request
            .as_ref()
            .map(|request| RequestDirectionConfig { common_config: Some(direction(request)) }),
        response_direction_config: Some(ResponseDirectionConfig {
            common_config: Some(direction(response)),
            disable_on_etag_header: *disable_on_etag_header,
            weaken_etag_on_compress: *weaken_etag_on_compress,
            remove_accept_encoding_header: *remove_accept_encoding_header,
            uncompressible_response_codes: uncompressible_response_codes
                .iter()
                .map(|code| u32::from(*code))
                .collect(),
            ..Default::default()
        }),
        choose_first: *choose_first,
        ..Default::default()
    }
}

pub(super) fn per_route(settings: CompressorPerRoute) -> pb::CompressorPerRoute {
    let settings = match settings {
        CompressorPerRoute::Disabled => Override::Disabled(true),
        CompressorPerRoute::Overrides { remove_accept_encoding_header } => {
            let remove = remove_accept_encoding_header.and_then(scalar::switch);
            Override::Overrides(pb::CompressorOverrides {
                response_direction_config: Some(pb::ResponseDirectionOverrides {
                    remove_accept_encoding_header: remove,
                }),
                ..Default::default()
            })
        }
    };
    pb::CompressorPerRoute { r#override: Some(settings) }
}

fn direction(direction: &CompressDirection) -> CommonDirectionConfig {
    let CompressDirection { enabled, min_content_length, content_type } = direction;
    CommonDirectionConfig {
        enabled: Some(RuntimeFeatureFlag {
            default_value: scalar::switch(*enabled),
            runtime_key: scalar::RUNTIME_KEY.to_owned(),
        }),
        min_content_length: scalar::uint32(*min_content_length),
        content_type_matcher: content_type.iter().map(matcher::string).collect(),
        ..Default::default()
    }
}

fn library(library: CompressorLibrary) -> TypedExtensionConfig {
    let typed_config = match library {
        CompressorLibrary::Gzip { level } => scalar::any(&Gzip {
            compression_level: level.and_then(|level| i32::try_from(level).ok()).unwrap_or_default(),
            ..Default::default()
        }),
        CompressorLibrary::Brotli { quality, window_bits } => scalar::any(&Brotli {
            quality: scalar::uint32(quality),
            window_bits: scalar::uint32(window_bits),
            ..Default::default()
        }),
        CompressorLibrary::Zstd { level, checksum } => scalar::any(&Zstd {
            compression_level: scalar::uint32(level),
            enable_checksum: checksum,
            ..Default::default()
        }),
    };
    TypedExtensionConfig { name: library.encoding().to_owned(), typed_config: Some(typed_config) }
}
