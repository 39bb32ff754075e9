//! Refusals of TLS contexts and secrets.

use super::runner::{Row, refuses, row};
use crate::decode;

const CLUSTER: &str = "envoy.config.cluster.v3.Cluster";
const LISTENER: &str = "envoy.config.listener.v3.Listener";
const SECRET: &str = "envoy.extensions.transport_sockets.tls.v3.Secret";

const CERTIFICATE: &str =
    "tls_certificates: [{certificate_chain: {filename: c}, private_key: {filename: k}}]";

fn upstream(fields: &str, expected: &str) -> Row {
    let tls = "'@type': type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
    row(
        format!("{{name: c, transport_socket: {{name: tls, typed_config: {{{tls}, {fields}}}}}}}"),
        format!("transport_socket.typed_config.{expected}"),
    )
}

fn common(fields: &str, expected: &str) -> Row {
    upstream(&format!("common_tls_context: {{{fields}}}"), &format!("common_tls_context.{expected}"))
}

fn validation(fields: &str, expected: &str) -> Row {
    common(&format!("validation_context: {{{fields}}}"), &format!("validation_context{expected}"))
}

fn downstream(fields: &str, expected: &str) -> Row {
    let tls = "'@type': type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";
    let tcp = "'@type': type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
    let filters = format!("filters: [{{name: t, typed_config: {{{tcp}, stat_prefix: s, cluster: c}}}}]");
    let socket = format!("transport_socket: {{name: tls, typed_config: {{{tls}, {fields}}}}}");
    let address = "address: {socket_address: {address: 127.0.0.1, port_value: 0}}";
    row(
        format!("{{name: l, {address}, filter_chains: [{{{filters}, {socket}}}]}}"),
        format!("filter_chains[0].transport_socket.typed_config.{expected}"),
    )
}

#[test]
fn client_contexts_are_refused_with_their_path() {
    let two = "tls_certificates: [{certificate_chain: {filename: c}, private_key: {filename: k}}, {certificate_chain: {filename: c}, private_key: {filename: k}}]";
    #[rustfmt::skip]
    let rows = [
        upstream("allow_renegotiation: true", "allow_renegotiation: is not supported here"),
        upstream("max_session_keys: 0", "max_session_keys: 0 is not accepted"),
        upstream("enforce_rsa_key_usage: true", "enforce_rsa_key_usage: true is not supported here"),
        upstream("auto_sni_san_validation: true", "auto_sni_san_validation: needs trusted_ca"),
        upstream(&format!("common_tls_context: {{{two}}}"), "common_tls_context: has more than one certificate"),
        common("key_log: {}", "key_log: is not supported here"),
        common("tls_params: {signature_algorithms: [ed25519, x]}", "tls_params.signature_algorithms[1]: \"x\" is not supported here; accepted: ecdsa_secp256r1_sha256, "),
        common("tls_params: {signature_algorithms: [rsa_pkcs1_sha1]}", "tls_params.signature_algorithms[0]: \"rsa_pkcs1_sha1\" is not"),
        common("tls_params: {signature_algorithms: [ed25519, ed25519]}", "tls_params.signature_algorithms[1]: the name \"ed25519\" is used twice"),
        common("tls_params: {cipher_suites: [AES128-SHA]}", "tls_params.cipher_suites[0]: \"AES128-SHA\" is not supported here; accepted: ECDHE-"),
        common("tls_params: {ecdh_curves: [P-521]}", "tls_params.ecdh_curves[0]: \"P-521\" is not supported here; accepted: X25519, x25519, P-256, "),
        common("tls_params: {compliance_policies: [FIPS_202205]}", "tls_params.compliance_policies: is not supported here"),
        common("tls_params: {tls_minimum_protocol_version: TLSv1_1}", "tls_params.tls_minimum_protocol_version: TLSv1_1 is not supported; accepted: TLSv1_2, TLSv1_3"),
        common("tls_params: {tls_minimum_protocol_version: TLSv1_3, tls_maximum_protocol_version: TLSv1_2}", "tls_params: has a tls_minimum_protocol_version above"),
        common("alpn_protocols: ['']", "alpn_protocols[0]: must not be empty"),
        common(&format!("{CERTIFICATE}, tls_certificate_sds_secret_configs: [{{name: s}}]"), "tls_certificate_sds_secret_configs: and tls_certificates are both set"),
        common("tls_certificate_sds_secret_configs: [{}]", "tls_certificate_sds_secret_configs[0].name: must not be empty"),
        common("tls_certificates: [{certificate_chain: {filename: c}}]", "tls_certificates[0].private_key: is required"),
        common("tls_certificates: [{certificate_chain: {inline_string: ''}}]", "tls_certificates[0].certificate_chain: must not be empty"),
        common("tls_certificates: [{pkcs12: {filename: c}}]", "tls_certificates[0].pkcs12: is not supported here"),
        common("tls_certificates: [{certificate_chain: {inline_string: c, watched_directory: {path: d}}}]", "tls_certificates[0].certificate_chain.watched_directory: is only accepted beside filename"),
        common("combined_validation_context: {}", "combined_validation_context.default_validation_context: is required"),
        common("combined_validation_context: {default_validation_context: {}}", "combined_validation_context.validation_context_sds_secret_config: is required"),
        common("combined_validation_context: {validation_context_certificate_provider_instance: {}}", "combined_validation_context.validation_context_certificate_provider_instance: is not"),
        common("validation_context_certificate_provider: {name: x}", "validation_context_certificate_provider: is not"),
    ];
    refuses(CLUSTER, decode::cluster, rows);
}

#[test]
fn rules_for_peers_are_refused_with_their_path() {
    let spiffe =
        "'@type': type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig";
    let custom =
        |fields: &str| format!("custom_validator_config: {{name: s, typed_config: {{{spiffe}, {fields}}}}}");
    #[rustfmt::skip]
    let rows = [
        validation("system_root_certs: {}", ".system_root_certs: is not supported here"),
        validation("require_signed_certificate_timestamp: true", ".require_signed_certificate_timestamp: true is not"),
        validation("max_verify_depth: 1", ".max_verify_depth: is not supported here"),
        validation("match_subject_alt_names: [{exact: a}]", ": tests subject alternative names without trusted_ca"),
        validation("crl: {filename: x}", ".crl: needs trusted_ca"),
        validation("allow_expired_certificate: true", ".allow_expired_certificate: needs trusted_ca"),
        validation("verify_certificate_hash: [ab]", ".verify_certificate_hash[0]: \"ab\" is not a SHA-256 of 64"),
        validation("verify_certificate_hash: [zz]", ".verify_certificate_hash[0]: \"zz\" is not a SHA-256 of 64"),
        validation("verify_certificate_spki: [YQ==]", ".verify_certificate_spki[0]: \"YQ==\" is not a SHA-256 of 44"),
        validation("match_typed_subject_alt_names: [{matcher: {exact: a}}]", ".match_typed_subject_alt_names[0].san_type: is required"),
        validation("match_typed_subject_alt_names: [{san_type: OTHER_NAME}]", ".match_typed_subject_alt_names[0].oid: \"\" is not an object identifier; accepted: numbers"),
        validation("match_typed_subject_alt_names: [{san_type: OTHER_NAME, oid: msUPN}]", ".match_typed_subject_alt_names[0].oid: \"msUPN\" is not an object identifier"),
        validation("match_typed_subject_alt_names: [{san_type: DNS}]", ".match_typed_subject_alt_names[0].matcher: is required"),
        validation("match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: a}}], match_subject_alt_names: [{exact: b}]", ".match_subject_alt_names: and match_typed_subject_alt_names are both set"),
        validation("custom_validator_config: {name: x, typed_config: {'@type': type.googleapis.com/envoy.type.v3.Percent}}", ".custom_validator_config.typed_config: \"x\" has the type"),
        validation(&custom("trust_domains: []"), ".custom_validator_config.typed_config.trust_domains: must not be empty"),
        validation(&custom("trust_domains: [{name: a}]"), ".custom_validator_config.typed_config.trust_domains[0].trust_bundle: is required"),
        validation(&custom("trust_domains: [{name: a, workload_trust_domain: b}]"), ".custom_validator_config.typed_config.trust_domains[0].workload_trust_domain: is not"),
        validation(
            &custom(
                "trust_domains: [{name: a, trust_bundle: {filename: x}}, {name: a, trust_bundle: {filename: x}}]",
            ),
            ".custom_validator_config.typed_config.trust_domains[1]: the trust domain \"a\" is used twice",
        ),
        validation(
            &format!(
                "trusted_ca: {{filename: x}}, {}",
                custom("trust_domains: [{name: a, trust_bundle: {filename: x}}]")
            ),
            ".custom_validator_config: and trusted_ca are both set",
        ),
    ];
    refuses(CLUSTER, decode::cluster, rows);
}

#[test]
fn server_contexts_are_refused_with_their_path() {
    let held = format!("common_tls_context: {{{CERTIFICATE}}}");
    #[rustfmt::skip]
    let rows = [
        downstream("require_client_certificate: true", "common_tls_context: is required"),
        downstream("common_tls_context: {}", "common_tls_context: has no certificate"),
        downstream(&format!("{held}, require_sni: true"), "require_sni: true is not supported here"),
        downstream(&format!("{held}, session_timeout: 1s"), "session_timeout: is not supported here"),
        downstream(&format!("{held}, ocsp_staple_policy: MUST_STAPLE"), "ocsp_staple_policy: only LENIENT_STAPLING"),
        downstream(&format!("{held}, session_ticket_keys: {{}}"), "session_ticket_keys: is not supported here"),
    ];
    refuses(LISTENER, decode::listener, rows);
}

#[test]
fn secrets_are_refused_with_their_path() {
    #[rustfmt::skip]
    let rows = [
        ("{name: s}", "is empty; accepted: tls_certificate, validation_context"),
        ("{name: s, generic_secret: {}}", "generic_secret: is not supported here"),
        ("{name: s, session_ticket_keys: {}}", "session_ticket_keys: is not supported here"),
        ("{validation_context: {}}", "name: must not be empty"),
        ("{name: s, tls_certificate: {private_key: {filename: k}}}", "tls_certificate.certificate_chain: is required"),
        ("{name: s, tls_certificate: {certificate_chain: {}}}", "tls_certificate.certificate_chain: is empty; accepted"),
        ("{name: s, tls_certificate: {watched_directory: {}}}", "tls_certificate.watched_directory.path: must not be empty"),
    ];
    refuses(SECRET, decode::secret, rows.map(|(yaml, expected)| row(yaml, expected)));
}
