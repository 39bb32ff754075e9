//! What a connection manager does at the edge: paths, client certificates, where requests come from.

use envoy_types::pb::envoy::config::core::v3::scheme_header_transformation::Transformation;
use envoy_types::pb::envoy::config::core::v3::{SchemeHeaderTransformation, TypedExtensionConfig};
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3 as manager;
use envoy_types::pb::envoy::extensions::http as extensions;
use envoy_types::pb::envoy::extensions::request_id::uuid::v3::UuidRequestIdConfig;
use envoy_types::pb::envoy::r#type::v3::HttpStatus;
use envoy_types::pb::google::protobuf::BoolValue;
use extensions::early_header_mutation::header_mutation::v3::HeaderMutation;
use extensions::original_ip_detection::custom_header::v3::CustomHeaderConfig;
use extensions::original_ip_detection::xff::v3::{XffConfig, XffTrustedCidrs};
use http::StatusCode;
use manager::{RequestIdExtension, http_connection_manager as pb};
use pb::{ForwardClientCertDetails, PathWithEscapedSlashesAction, SetCurrentClientCertDetails};

use super::address;
use super::any;
use super::filter;
use super::headers;
use super::path::{Invalid, Path, absent};
use super::scalar::switch;
use crate::model::{
    EdgeOptions, EscapedSlashes, ForwardClientCert, ForwardedCertFields, HeaderChange, InternalAddressConfig,
    OriginalIpDetection, PathNormalization, SchemeTransformation,
};

/// Where requests come from, and what else is made of them at the edge.
pub(super) fn options(
    path: &Path<'_>,
    manager: &manager::HttpConnectionManager,
) -> Result<EdgeOptions, Invalid> {
    request_id(&path.field("request_id_extension"), &manager.request_id_extension)?;
    let trusts_xff = switch(&manager.use_remote_address, false) || manager.xff_num_trusted_hops > 0;
    Ok(EdgeOptions {
        internal_addresses: internal_addresses(
            &path.field("internal_address_config"),
            &manager.internal_address_config,
        )?,
        original_ip_detection: original_ip(
            &path.field("original_ip_detection_extensions"),
            &manager.original_ip_detection_extensions,
            trusts_xff,
        )?,
        scheme: scheme(&path.field("scheme_header_transformation"), &manager.scheme_header_transformation)?,
        early_header_mutations: early_mutations(
            &path.field("early_header_mutation_extensions"),
            &manager.early_header_mutation_extensions,
        )?,
    })
}

/// Whose requests count as internal.
fn internal_addresses(
    path: &Path<'_>,
    config: &Option<pb::InternalAddressConfig>,
) -> Result<InternalAddressConfig, Invalid> {
    let Some(pb::InternalAddressConfig { unix_sockets, cidr_ranges }) = config else {
        return Ok(InternalAddressConfig::default());
    };
    Ok(InternalAddressConfig {
        unix_sockets: *unix_sockets,
        cidr_ranges: path.field("cidr_ranges").each(cidr_ranges, address::cidr)?,
    })
}

/// Who says where requests come from; `trusts_xff` says that the connection manager does so itself.
fn original_ip(
    path: &Path<'_>,
    extensions: &[TypedExtensionConfig],
    trusts_xff: bool,
) -> Result<Vec<OriginalIpDetection>, Invalid> {
    if trusts_xff && !extensions.is_empty() {
        return path.refuse("do not go with use_remote_address or xff_num_trusted_hops");
    }
    path.each(extensions, |at, TypedExtensionConfig { name, typed_config }| {
        let path = at.field("typed_config");
        let found = path.required(typed_config)?;
        if let Some(config) = any::unpack_if(&path, found)? {
            return xff(&path, &config);
        }
        if let Some(config) = any::unpack_if(&path, found)? {
            return custom_header(&path, &config);
        }
        any::unknown(&path, name, found, "XffConfig, CustomHeaderConfig")
    })
}

fn xff(path: &Path<'_>, config: &XffConfig) -> Result<OriginalIpDetection, Invalid> {
    let XffConfig { xff_num_trusted_hops, xff_trusted_cidrs, skip_xff_append } = config;
    let at = path.field("xff_trusted_cidrs");
    if *xff_num_trusted_hops > 0 && xff_trusted_cidrs.is_some() {
        return at.refuse("and xff_num_trusted_hops are both set; keep one");
    }
    let trusted_cidrs = match xff_trusted_cidrs {
        Some(XffTrustedCidrs { cidrs }) => at.field("cidrs").each(cidrs, address::cidr)?,
        None => Vec::new(),
    };
    Ok(OriginalIpDetection::Xff {
        trusted_hops: *xff_num_trusted_hops,
        trusted_cidrs,
        skip_append: switch(skip_xff_append, true),
    })
}

fn custom_header(path: &Path<'_>, config: &CustomHeaderConfig) -> Result<OriginalIpDetection, Invalid> {
    let CustomHeaderConfig { header_name, allow_extension_to_set_address_as_trusted, reject_with_status } =
        config;
    let reject = reject_with_status.as_ref().map(|HttpStatus { code }| {
        // As in Envoy, what is no error becomes the most likely one.
        let code = u16::try_from(*code).ok().filter(|code| (400..=511).contains(code));
        code.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::FORBIDDEN)
    });
    Ok(OriginalIpDetection::CustomHeader {
        name: headers::name(&path.field("header_name"), header_name)?,
        trusted: *allow_extension_to_set_address_as_trusted,
        reject,
    })
}

/// What becomes of a request's scheme.
fn scheme(
    path: &Path<'_>,
    config: &Option<SchemeHeaderTransformation>,
) -> Result<SchemeTransformation, Invalid> {
    let Some(SchemeHeaderTransformation { match_upstream, transformation }) = config else {
        return Ok(SchemeTransformation::Keep);
    };
    match transformation {
        Some(Transformation::SchemeToOverwrite(scheme)) if scheme == "http" => Ok(SchemeTransformation::Http),
        Some(Transformation::SchemeToOverwrite(scheme)) if scheme == "https" => {
            Ok(SchemeTransformation::Https)
        }
        Some(Transformation::SchemeToOverwrite(scheme)) => path
            .field("scheme_to_overwrite")
            .refuse(format!("{scheme:?} is not accepted; http and https are")),
        None if *match_upstream => Ok(SchemeTransformation::MatchUpstream),
        None => Ok(SchemeTransformation::Keep),
    }
}

/// Changes of a request's fields before anything else looks at them.
fn early_mutations(
    path: &Path<'_>,
    extensions: &[TypedExtensionConfig],
) -> Result<Vec<HeaderChange>, Invalid> {
    let lists = path.each(extensions, |at, TypedExtensionConfig { name, typed_config }| {
        let path = at.field("typed_config");
        let found = path.required(typed_config)?;
        let Some(HeaderMutation { mutations }) = any::unpack_if(&path, found)? else {
            return any::unknown(&path, name, found, "HeaderMutation");
        };
        path.field("mutations").each(&mutations, filter::header_change)
    })?;
    Ok(lists.into_iter().flatten().collect())
}

/// Accepts the only kind of request ids there is. Nothing is packed into them, for no request is traced.
fn request_id(path: &Path<'_>, extension: &Option<RequestIdExtension>) -> Result<(), Invalid> {
    let Some(RequestIdExtension { typed_config: Some(config) }) = extension else { return Ok(()) };
    let path = path.field("typed_config");
    match any::unpack_if(&path, config)? {
        Some(UuidRequestIdConfig { pack_trace_reason: _, use_request_id_for_trace_sampling: _ }) => Ok(()),
        None => any::unknown(&path, "request_id_extension", config, "UuidRequestIdConfig"),
    }
}

/// How paths are normalised; Envoy's default for escaped slashes is to keep them.
pub(super) fn normalization(
    path: &Path<'_>,
    normalize: &Option<BoolValue>,
    merge_slashes: bool,
    escaped: i32,
) -> Result<PathNormalization, Invalid> {
    let escaped_slashes = match path.field("path_with_escaped_slashes_action").known(escaped)? {
        PathWithEscapedSlashesAction::ImplementationSpecificDefault
        | PathWithEscapedSlashesAction::KeepUnchanged => EscapedSlashes::KeepUnchanged,
        PathWithEscapedSlashesAction::RejectRequest => EscapedSlashes::RejectRequest,
        PathWithEscapedSlashesAction::UnescapeAndRedirect => EscapedSlashes::UnescapeAndRedirect,
        PathWithEscapedSlashesAction::UnescapeAndForward => EscapedSlashes::UnescapeAndForward,
    };
    Ok(PathNormalization { normalize: switch(normalize, false), merge_slashes, escaped_slashes })
}

/// What is done with `x-forwarded-client-cert`.
pub(super) fn forward_client_cert(path: &Path<'_>, details: i32) -> Result<ForwardClientCert, Invalid> {
    Ok(match path.known(details)? {
        ForwardClientCertDetails::Sanitize => ForwardClientCert::Sanitize,
        ForwardClientCertDetails::ForwardOnly => ForwardClientCert::ForwardOnly,
        ForwardClientCertDetails::AppendForward => ForwardClientCert::AppendForward,
        ForwardClientCertDetails::SanitizeSet => ForwardClientCert::SanitizeSet,
        ForwardClientCertDetails::AlwaysForwardOnly => ForwardClientCert::AlwaysForwardOnly,
    })
}

/// Which fields of the peer's certificate are passed on.
pub(super) fn cert_fields(
    path: &Path<'_>,
    details: &Option<SetCurrentClientCertDetails>,
) -> Result<ForwardedCertFields, Invalid> {
    let Some(details) = details else { return Ok(ForwardedCertFields::default()) };
    let SetCurrentClientCertDetails { subject, cert, chain, dns, uri, issuer, format } = details;
    absent!(path; issuer, format);
    Ok(ForwardedCertFields {
        subject: switch(subject, false),
        cert: *cert,
        chain: *chain,
        dns: *dns,
        uri: *uri,
    })
}
