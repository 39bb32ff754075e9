//! Who is believed and who is not, by real handshakes and real chains.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType,
    SerialNumber,
};
use rustls_pki_types::{CertificateDer, UnixTime};
use xds::model::{
    CertificateChain, CertificateSource, CommonTls, ConfigSource, DataSource, DownstreamTls, PrivateKey,
    SanMatcher, Secret, SecretKind, SecretName, SignatureAlgorithm, StringMatcher, UpstreamTls,
    ValidationContext, ValidationSource,
};

use super::trust::{Role, Trust};
use super::{ClientTls, Secrets, ServerTls, Variables};

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn ca(name: &str) -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

struct Leaf {
    pem: String,
    der: CertificateDer<'static>,
    key: String,
}

fn leaf(issuer: &Issuer, uri: &str, edit: impl FnOnce(&mut CertificateParams)) -> Leaf {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.serial_number = Some(SerialNumber::from(7_u64));
    edit(&mut params);
    let certificate = params.signed_by(&key, issuer).unwrap();
    Leaf { pem: certificate.pem(), der: certificate.der().clone(), key: key.serialize_pem() }
}

fn inline(text: &str) -> DataSource {
    DataSource::Inline(text.as_bytes().to_vec())
}

fn domains(bundles: &[(&str, &Issuer)]) -> ValidationContext {
    let trust_domains =
        bundles.iter().map(|(domain, issuer)| ((*domain).to_owned(), inline(&issuer.pem()))).collect();
    ValidationContext { trust_domains, ..ValidationContext::default() }
}

fn judge(context: &ValidationContext, leaf: &Leaf) -> Result<(), String> {
    let trust = Trust::build(&[context], &Variables::default()).unwrap();
    trust.judge(&leaf.der, &[], Role::Client, UnixTime::now()).map_err(|error| error.to_string())
}

#[test]
fn a_root_vouches_for_its_own_trust_domain_only() {
    let (ours, theirs) = (ca("ours"), ca("theirs"));
    let context = domains(&[("ours.example", &ours), ("theirs.example", &theirs)]);
    assert_eq!(judge(&context, &leaf(&ours, "spiffe://ours.example/a", |_| ())), Ok(()));
    assert_eq!(judge(&context, &leaf(&theirs, "spiffe://theirs.example/a", |_| ())), Ok(()));
    let forged = judge(&context, &leaf(&theirs, "spiffe://ours.example/a", |_| ()));
    assert!(forged.is_err(), "a foreign root vouched for our domain");
}

#[test]
fn a_peer_of_an_unknown_trust_domain_is_refused_by_name() {
    let ours = ca("ours");
    let refused =
        judge(&domains(&[("ours.example", &ours)]), &leaf(&ours, "spiffe://other.example/a", |_| ()));
    let text = refused.unwrap_err();
    assert!(text.contains("other.example") && text.contains("ours.example"), "{text}");
}

#[test]
fn expired_certificates_are_refused_unless_allowed() {
    let ours = ca("ours");
    let old = leaf(&ours, "spiffe://ours.example/a", |params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 1, 2);
    });
    let mut context = domains(&[("ours.example", &ours)]);
    assert!(judge(&context, &old).is_err());
    context.allow_expired_certificate = true;
    // The root did not exist then either: only the leaf's end is forgiven, so the root must be older.
    let text = judge(&context, &old);
    assert!(text.is_ok() || text.is_err_and(|text| !text.contains("Expired")));
}

#[test]
fn a_server_only_certificate_is_no_client() {
    let ours = ca("ours");
    let server = leaf(&ours, "spiffe://ours.example/a", |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    assert!(judge(&domains(&[("ours.example", &ours)]), &server).is_err());
}

#[test]
fn names_must_match_when_any_are_asked_for() {
    let ours = ca("ours");
    let mut context = domains(&[("ours.example", &ours)]);
    let wanted = StringMatcher::exact("spiffe://ours.example/site/fra/gateway");
    context.subject_alt_names = vec![SanMatcher { san_type: xds::model::SanType::Uri, matcher: wanted }];
    assert_eq!(judge(&context, &leaf(&ours, "spiffe://ours.example/site/fra/gateway", |_| ())), Ok(()));
    let refused =
        judge(&context, &leaf(&ours, "spiffe://ours.example/site/iad/gateway", |_| ())).unwrap_err();
    assert!(refused.contains("site/iad") && refused.contains("site/fra"), "{refused}");
}

#[test]
fn a_revoked_certificate_is_refused() {
    let ours = ca("ours");
    let revoked = leaf(&ours, "spiffe://ours.example/a", |_| ());
    let list = CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2024, 1, 1),
        next_update: rcgen::date_time_ymd(2090, 1, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: vec![RevokedCertParams {
            serial_number: SerialNumber::from(7_u64),
            revocation_time: rcgen::date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        }],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let mut context = domains(&[("ours.example", &ours)]);
    assert_eq!(judge(&context, &revoked), Ok(()));
    context.crl = Some(inline(&list.signed_by(&ours).unwrap().pem().unwrap()));
    assert!(judge(&context, &revoked).unwrap_err().contains("Revoked"));
}

#[test]
fn a_certificate_that_does_not_fit_its_key_is_refused_without_showing_the_key() {
    let ours = ca("ours");
    let (one, other) = (leaf(&ours, "spiffe://a/b", |_| ()), leaf(&ours, "spiffe://a/c", |_| ()));
    let secret = Secret {
        name: SecretName::from("s"),
        kind: SecretKind::TlsCertificate {
            chain: CertificateChain(inline(&one.pem)),
            key: PrivateKey(inline(&other.key)),
        },
    };
    let refused = super::check_secret(&secret, &Secrets::default()).unwrap_err();
    assert!(refused.contains("does not match the private key"), "{refused}");
    assert!(!refused.contains("PRIVATE") && !format!("{secret:?}").contains("PRIVATE"));
}

#[test]
fn a_secret_in_the_environment_is_read_from_the_variables_handed_in() {
    let ours = ca("ours");
    let one = leaf(&ours, "spiffe://a/b", |_| ());
    let named = |name: &str| DataSource::Environment(name.to_owned());
    let secret = Secret {
        name: SecretName::from("s"),
        kind: SecretKind::TlsCertificate {
            chain: CertificateChain(inline(&one.pem)),
            key: PrivateKey(named("KEY")),
        },
    };
    let variables = BTreeMap::from([("KEY".to_owned(), one.key.clone())]);
    let secrets = Secrets::new(variables.into());
    assert_eq!(super::check_secret(&secret, &secrets), Ok(()));
    assert_eq!(super::check_secret(&secret, &secrets.static_copy()), Ok(()));
    assert!(!format!("{secrets:?}").contains("PRIVATE"));
    let refused = super::check_secret(&secret, &Secrets::default()).unwrap_err();
    assert_eq!(refused, "environment variable KEY: environment variable not found");
}

fn secrets(leaf: &Leaf, context: ValidationContext) -> Arc<Secrets> {
    let secrets = Secrets::default();
    let chain = CertificateChain(inline(&leaf.pem));
    let kind = SecretKind::TlsCertificate { chain, key: PrivateKey(inline(&leaf.key)) };
    secrets.set_static(Secret { name: SecretName::from("svid"), kind });
    set_bundle(&secrets, context);
    Arc::new(secrets)
}

fn set_bundle(secrets: &Secrets, context: ValidationContext) {
    let kind = SecretKind::ValidationContext(Box::new(context));
    secrets.set_static(Secret { name: SecretName::from("bundle"), kind });
}

fn common() -> CommonTls {
    let svid = CertificateSource::Secret { name: SecretName::from("svid"), source: None };
    let bundle = ValidationSource::Secret { name: SecretName::from("bundle"), source: None, with: None };
    CommonTls { certificates: vec![svid], validation: Some(bundle), ..CommonTls::default() }
}

async fn handshake(client: &ClientTls, server: &ServerTls) -> Result<(), String> {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let acceptor = tokio_rustls::TlsAcceptor::from(server.session().map_err(|error| error.to_string())?);
    let session = client.session().map_err(|error| error.to_string())?;
    let connector = tokio_rustls::TlsConnector::from(Arc::clone(&session.config));
    let name = rustls_pki_types::ServerName::try_from("mesh.invalid").unwrap();
    let accept = async { acceptor.accept(far).await.map(drop).map_err(|error| error.to_string()) };
    let connect = async { connector.connect(name, near).await.map(drop).map_err(|error| error.to_string()) };
    let both = async { tokio::join!(accept, connect) };
    let (accepted, connected) = tokio::time::timeout(Duration::from_secs(10), both).await.unwrap();
    accepted.and(connected)
}

#[tokio::test]
async fn a_trust_domain_is_added_and_removed_live() {
    let (ours, theirs) = (ca("ours"), ca("theirs"));
    let us = secrets(&leaf(&ours, "spiffe://ours.example/a", |_| ()), domains(&[("ours.example", &ours)]));
    let both = domains(&[("ours.example", &ours), ("theirs.example", &theirs)]);
    let them = secrets(&leaf(&theirs, "spiffe://theirs.example/b", |_| ()), both.clone());
    let server = ServerTls::new(
        DownstreamTls {
            common: common(),
            require_client_certificate: true,
            disable_stateless_session_resumption: false,
            disable_stateful_session_resumption: false,
        },
        Arc::clone(&us),
    );
    let upstream = UpstreamTls {
        common: common(),
        sni: String::new(),
        auto_host_sni: false,
        auto_sni_san_validation: false,
    };
    let client = ClientTls::new(upstream, false, them);
    assert!(handshake(&client, &server).await.is_err(), "a stranger was let in");
    set_bundle(&us, both);
    assert_eq!(handshake(&client, &server).await, Ok(()));
    set_bundle(&us, domains(&[("ours.example", &ours)]));
    assert!(handshake(&client, &server).await.is_err(), "a removed trust domain was let in");
}

#[tokio::test]
async fn a_rotated_certificate_changes_the_generation_and_nothing_else_does() {
    let ours = ca("ours");
    let context = domains(&[("ours.example", &ours)]);
    let us = secrets(&leaf(&ours, "spiffe://ours.example/a", |_| ()), context.clone());
    let upstream = UpstreamTls {
        common: common(),
        sni: String::new(),
        auto_host_sni: false,
        auto_sni_san_validation: false,
    };
    let client = ClientTls::new(upstream, false, Arc::clone(&us));
    let first = client.session().unwrap().generation;
    set_bundle(&us, context.clone());
    assert_eq!(client.session().unwrap().generation, first, "the same bundle again changed the identity");
    let next = leaf(&ours, "spiffe://ours.example/a", |_| ());
    let chain = CertificateChain(inline(&next.pem));
    let kind = SecretKind::TlsCertificate { chain, key: PrivateKey(inline(&next.key)) };
    us.set_static(Secret { name: SecretName::from("svid"), kind });
    assert_ne!(client.session().unwrap().generation, first);
}

/// A handshake with mutual TLS whose two sides allow these signatures; both keys are P-256.
async fn signed(client: &[SignatureAlgorithm], server: &[SignatureAlgorithm]) -> Result<(), String> {
    let ours = ca("ours");
    let us = secrets(&leaf(&ours, "spiffe://ours.example/a", |_| ()), domains(&[("ours.example", &ours)]));
    let narrowed = |to: &[SignatureAlgorithm]| CommonTls { signature_algorithms: to.to_vec(), ..common() };
    let server = ServerTls::new(
        DownstreamTls {
            common: narrowed(server),
            require_client_certificate: true,
            disable_stateless_session_resumption: false,
            disable_stateful_session_resumption: false,
        },
        Arc::clone(&us),
    );
    let upstream = UpstreamTls {
        common: narrowed(client),
        sni: String::new(),
        auto_host_sni: false,
        auto_sni_san_validation: false,
    };
    handshake(&ClientTls::new(upstream, false, us), &server).await
}

#[tokio::test]
async fn each_side_signs_and_verifies_with_what_its_context_allows_only() {
    use SignatureAlgorithm::{EcdsaSecp256r1Sha256 as P256, EcdsaSecp384r1Sha384 as P384, Ed25519};
    assert_eq!(signed(&[], &[P256]).await, Ok(()));
    assert_eq!(signed(&[P384, P256], &[Ed25519, P256]).await, Ok(()));
    for (client, server) in [(&[][..], &[Ed25519][..]), (&[P384], &[]), (&[P256], &[P384])] {
        let done = signed(client, server).await;
        assert!(done.is_err(), "client {client:?}, server {server:?}: the handshake went through");
    }
}

fn server_of(certificate: CertificateSource) -> ServerTls {
    let model = DownstreamTls {
        common: CommonTls { certificates: vec![certificate], ..CommonTls::default() },
        require_client_certificate: false,
        disable_stateless_session_resumption: false,
        disable_stateful_session_resumption: false,
    };
    ServerTls::new(model, Arc::default())
}

#[test]
fn a_context_is_checked_as_far_as_its_secrets_have_come() {
    let ours = ca("ours");
    let (one, other) = (leaf(&ours, "spiffe://a/b", |_| ()), leaf(&ours, "spiffe://a/c", |_| ()));
    let pair = |key: &Leaf| CertificateSource::Inline {
        chain: CertificateChain(inline(&one.pem)),
        key: PrivateKey(inline(&key.key)),
    };
    assert_eq!(server_of(pair(&one)).check(), Ok(()));
    let mismatch = server_of(pair(&other)).check().unwrap_err();
    assert!(
        mismatch.starts_with("common_tls_context.tls_certificates[0]: inline: the certificate"),
        "{mismatch}"
    );
    let secret = |name: &str, source| CertificateSource::Secret { name: SecretName::from(name), source };
    let sds = Some(ConfigSource::Ads { initial_fetch_timeout: None });
    assert_eq!(server_of(secret("fetched", sds)).check(), Ok(()), "it may still come");
    assert_eq!(server_of(secret("tombolo_svid", None)).check(), Ok(()), "it comes with the join");
    let unknown = server_of(secret("misspelt", None)).check().unwrap_err();
    assert!(unknown.contains("tls_certificates[0]: there is no static secret misspelt"), "{unknown}");
}
