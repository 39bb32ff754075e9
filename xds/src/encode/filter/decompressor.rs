//! Decompression.

use envoy_types::pb::envoy::config::core::v3::{RuntimeFeatureFlag, TypedExtensionConfig};
use envoy_types::pb::envoy::extensions::compression::brotli::decompressor::v3::Brotli;
use envoy_types::pb::envoy::extensions::compression::gzip::decompressor::v3::Gzip;
use envoy_types::pb::envoy::extensions::compression::zstd::decompressor::v3::Zstd;
use envoy_types::pb::envoy::extensions::filters::http::decompressor::v3 as pb;
use pb::decompressor::{CommonDirectionConfig, RequestDirectionConfig, ResponseDirectionConfig};

use super::super::scalar;
use crate::model::{DecompressDirection, Decompressor, DecompressorLibrary};

pub(super) fn filter(filter: &Decompressor) -> pb::Decompressor {
    let Decompressor { name, library, chunk_bytes, request, response, advertise_accept_encoding } = filter;
    let chunk_size = scalar::uint32(*chunk_bytes);
    let typed_config = match *library {
        DecompressorLibrary::Gzip { max_inflate_ratio } => scalar::any(&Gzip {
            chunk_size,
            max_inflate_ratio: scalar::uint32(max_inflate_ratio),
            ..Default::default()
        }),
        DecompressorLibrary::Brotli => scalar::any(&Brotli { chunk_size, ..Default::default() }),
        DecompressorLibrary::Zstd => scalar::any(&Zstd { chunk_size, ..Default::default() }),
    };
    pb::Decompressor {
        decompressor_library: Some(TypedExtensionConfig {
            name: name.clone(),
            typed_config: Some(typed_config),
        }),
        request_direction_config: Some(RequestDirectionConfig {
            common_config: Some(direction(*request)),
            advertise_accept_encoding: scalar::switch(*advertise_accept_encoding),
        }),
        response_direction_config: Some(ResponseDirectionConfig {
            common_config: Some(direction(*response)),
        }),
    }
}

fn direction(direction: DecompressDirection) -> CommonDirectionConfig {
    let DecompressDirection { enabled, ignore_no_transform_header } = direction;
    CommonDirectionConfig {
        enabled: Some(RuntimeFeatureFlag {
            default_value: scalar::switch(enabled),
            runtime_key: scalar::RUNTIME_KEY.to_owned(),
        }),
        ignore_no_transform_header,
    }
}
