//! Where requests come from, for a connection manager.

use envoy_types::pb::envoy::config::core::v3::scheme_header_transformation::Transformation;
use envoy_types::pb::envoy::config::core::v3::{SchemeHeaderTransformation, TypedExtensionConfig};
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager as pb;
use envoy_types::pb::envoy::extensions::http as extensions;
use envoy_types::pb::envoy::r#type::v3::HttpStatus;
use extensions::early_header_mutation::header_mutation::v3::HeaderMutation;
use extensions::original_ip_detection::custom_header::v3::CustomHeaderConfig;
use extensions::original_ip_detection::xff::v3::{XffConfig, XffTrustedCidrs};

use super::address;
use super::filter;
use super::scalar;
use crate::model::{HeaderChange, InternalAddressConfig, OriginalIpDetection, SchemeTransformation};

pub(super) fn internal_addresses(config: &InternalAddressConfig) -> pb::InternalAddressConfig {
    let InternalAddressConfig { unix_sockets, cidr_ranges } = config;
    pb::InternalAddressConfig {
        unix_sockets: *unix_sockets,
        cidr_ranges: cidr_ranges.iter().map(address::cidr).collect(),
    }
}

pub(super) fn original_ip(detection: &OriginalIpDetection) -> TypedExtensionConfig {
    let (name, config) = match detection {
        OriginalIpDetection::Xff { trusted_hops, trusted_cidrs, skip_append } => {
            let cidrs: Vec<_> = trusted_cidrs.iter().map(address::cidr).collect();
            let config = XffConfig {
                xff_num_trusted_hops: *trusted_hops,
                xff_trusted_cidrs: (!cidrs.is_empty()).then_some(XffTrustedCidrs { cidrs }),
                skip_xff_append: scalar::switch(*skip_append),
            };
            ("xff", scalar::any(&config))
        }
        OriginalIpDetection::CustomHeader { name, trusted, reject } => {
            let config = CustomHeaderConfig {
                header_name: name.clone(),
                allow_extension_to_set_address_as_trusted: *trusted,
                reject_with_status: reject.map(|status| HttpStatus { code: status.as_u16().into() }),
            };
            ("custom_header", scalar::any(&config))
        }
    };
    TypedExtensionConfig { name: name.to_owned(), typed_config: Some(config) }
}

pub(super) fn scheme(scheme: SchemeTransformation) -> Option<SchemeHeaderTransformation> {
    let overwrite = |scheme: &str| SchemeHeaderTransformation {
        transformation: Some(Transformation::SchemeToOverwrite(scheme.to_owned())),
        match_upstream: false,
    };
    match scheme {
        SchemeTransformation::Keep => None,
        SchemeTransformation::Http => Some(overwrite("http")),
        SchemeTransformation::Https => Some(overwrite("https")),
        SchemeTransformation::MatchUpstream => {
            Some(SchemeHeaderTransformation { transformation: None, match_upstream: true })
        }
    }
}

pub(super) fn early_mutations(changes: &[HeaderChange]) -> Vec<TypedExtensionConfig> {
    if changes.is_empty() {
        return Vec::new();
    }
    let config = HeaderMutation { mutations: changes.iter().map(filter::header_change).collect() };
    vec![TypedExtensionConfig {
        name: "header_mutation".to_owned(),
        typed_config: Some(scalar::any(&config)),
    }]
}
