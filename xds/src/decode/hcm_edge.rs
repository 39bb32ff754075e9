//! What a connection manager does at the edge: paths, client certificates, internal addresses.

use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager as pb;
use envoy_types::pb::google::protobuf::BoolValue;
use pb::{ForwardClientCertDetails, PathWithEscapedSlashesAction, SetCurrentClientCertDetails};

use super::path::{Invalid, Path, absent};
use super::scalar::switch;
use crate::model::{EscapedSlashes, ForwardClientCert, ForwardedCertFields, PathNormalization};

/// Accepts the default only: no address is internal.
pub(super) fn internal_addresses(
    path: &Path<'_>,
    config: &Option<pb::InternalAddressConfig>,
) -> Result<(), Invalid> {
    let Some(pb::InternalAddressConfig { unix_sockets, cidr_ranges }) = config else { return Ok(()) };
    absent!(path; unix_sockets, cidr_ranges);
    Ok(())
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
