//! mTLS between gateways, TLS towards instances.
//!
//! One rule: a gateway's own key never passes through here; its SVID is a secret that the proxy
//! has itself.

use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3 as tls;
use tls::common_tls_context::{CombinedCertificateValidationContext, ValidationContextType};
use tls::subject_alt_name_matcher::SanType;

use super::name;
use super::pack;
use crate::ca::spiffe::SpiffeId;
use crate::resource::service::InstanceTls;
use crate::resource::world::World;

/// Who a peer must be, beside being of a trust domain that is trusted.
pub enum Peer<'a> {
    /// Any identity of them.
    Any,
    /// One of these.
    OneOf(&'a [SpiffeId]),
}

/// The secret with the trust bundles. A root vouches only for its own trust domain; adding and
/// removing a trust domain is a change of this secret alone.
pub fn bundle_secret(world: &World, own_bundle: &str) -> tls::Secret {
    use tls::spiffe_cert_validator_config::TrustDomain;
    let trust_domain = |name: &str, bundle: &str| TrustDomain {
        name: name.into(),
        trust_bundle: Some(inline(bundle)),
        ..Default::default()
    };
    let mut trust_domains = vec![trust_domain(&world.trust_domain, own_bundle)];
    trust_domains.extend(world.trust_domains().map(|o| trust_domain(&o.metadata.name, &o.spec.bundle)));
    let validator = tls::SpiffeCertValidatorConfig { trust_domains, ..Default::default() };
    let context = tls::CertificateValidationContext {
        custom_validator_config: Some(pack::extension("envoy.tls.cert_validator.spiffe", &validator)),
        ..Default::default()
    };
    tls::Secret {
        name: name::BUNDLE_SECRET.into(),
        r#type: Some(tls::secret::Type::ValidationContext(context)),
    }
}

/// TLS towards another site's gateway.
pub fn to_gateway(server_name: &str, alpn: Vec<String>, gateway: SpiffeId) -> core::TransportSocket {
    let context = tls::UpstreamTlsContext {
        common_tls_context: Some(mutual(alpn, &Peer::OneOf(&[gateway]))),
        sni: server_name.into(),
        ..Default::default()
    };
    socket(&context)
}

/// TLS from another site's gateway.
pub fn from_gateway(alpn: Vec<String>, peer: &Peer<'_>) -> core::TransportSocket {
    let context = tls::DownstreamTlsContext {
        common_tls_context: Some(mutual(alpn, peer)),
        require_client_certificate: pack::boolean(true),
        ..Default::default()
    };
    socket(&context)
}

/// TLS towards a service's instances.
pub fn to_instance(instance: &InstanceTls, alpn: Vec<String>) -> core::TransportSocket {
    let validation = tls::CertificateValidationContext {
        trusted_ca: Some(inline(&instance.trusted_ca)),
        match_typed_subject_alt_names: vec![tls::SubjectAltNameMatcher {
            san_type: SanType::Dns.into(),
            matcher: Some(pack::exactly(&instance.server_name)),
            ..Default::default()
        }],
        ..Default::default()
    };
    let context = tls::UpstreamTlsContext {
        common_tls_context: Some(tls::CommonTlsContext {
            alpn_protocols: alpn,
            validation_context_type: Some(ValidationContextType::ValidationContext(validation)),
            ..Default::default()
        }),
        sni: instance.server_name.clone(),
        ..Default::default()
    };
    socket(&context)
}

fn mutual(alpn_protocols: Vec<String>, peer: &Peer<'_>) -> tls::CommonTlsContext {
    let bundle = tls::SdsSecretConfig { name: name::BUNDLE_SECRET.into(), sds_config: Some(pack::ads()) };
    let validation = match peer {
        Peer::Any => ValidationContextType::ValidationContextSdsSecretConfig(bundle),
        Peer::OneOf(ids) => {
            let is_one_of = ids.iter().map(|id| tls::SubjectAltNameMatcher {
                san_type: SanType::Uri.into(),
                matcher: Some(pack::exactly(&id.to_string())),
                ..Default::default()
            });
            ValidationContextType::CombinedValidationContext(CombinedCertificateValidationContext {
                default_validation_context: Some(tls::CertificateValidationContext {
                    match_typed_subject_alt_names: is_one_of.collect(),
                    ..Default::default()
                }),
                validation_context_sds_secret_config: Some(bundle),
                ..Default::default()
            })
        }
    };
    tls::CommonTlsContext {
        tls_params: Some(tls::TlsParameters {
            tls_minimum_protocol_version: tls::tls_parameters::TlsProtocol::TlSv13.into(),
            tls_maximum_protocol_version: tls::tls_parameters::TlsProtocol::TlSv13.into(),
            ..Default::default()
        }),
        // Without a source the secret is one that the proxy has from its bootstrap.
        tls_certificate_sds_secret_configs: vec![tls::SdsSecretConfig {
            name: name::SVID_SECRET.into(),
            sds_config: None,
        }],
        alpn_protocols,
        validation_context_type: Some(validation),
        ..Default::default()
    }
}

fn socket<M: prost::Name>(context: &M) -> core::TransportSocket {
    core::TransportSocket {
        name: "envoy.transport_sockets.tls".into(),
        config_type: Some(core::transport_socket::ConfigType::TypedConfig(pack::any(context))),
    }
}

fn inline(pem: &str) -> core::DataSource {
    core::DataSource {
        specifier: Some(core::data_source::Specifier::InlineString(pem.into())),
        ..Default::default()
    }
}
