use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;

use rcgen::CertificateParams;
use rustls::RootCertStore;
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};

use super::*;

const DOMAIN: &str = "test.mesh";

fn open(directory: &Path) -> Authority {
    Authority::open(directory, DOMAIN, limits::SVID_TTL_DEFAULT, SystemTime::now()).unwrap()
}

fn request(names: &[SanType]) -> (KeyPair, String) {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let mut params = CertificateParams::default();
    params.subject_alt_names = names.to_vec();
    let pem = params.serialize_request(&key).unwrap().pem().unwrap();
    (key, pem)
}

fn gateway_svid(authority: &Authority) -> Svid {
    let request = Request::parse(&request(&[]).1).unwrap();
    let id = SpiffeId::gateway(DOMAIN, "fra");
    authority.sign_gateway(&request, &id, SystemTime::now()).unwrap()
}

fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().unwrap()
}

fn verify(bundle: &str, chain: &str, at: SystemTime) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    for root in certificates(bundle) {
        roots.add(root).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let chain = certificates(chain);
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    verifier.verify_client_cert(&chain[0], &chain[1..], UnixTime::since_unix_epoch(since)).map(|_| ())
}

#[test]
fn an_svid_verifies_with_openssl_and_names_its_site_and_key() {
    let directory = tempfile::tempdir().unwrap();
    let authority = open(&directory.path().join("ca"));
    let (key, pem) = request(&[]);
    let id = SpiffeId::gateway(DOMAIN, "fra");
    let svid = authority.sign_gateway(&Request::parse(&pem).unwrap(), &id, SystemTime::now()).unwrap();
    let (root, chain) = (directory.path().join("root"), directory.path().join("chain"));
    std::fs::write(&root, authority.bundle()).unwrap();
    std::fs::write(&chain, &svid.chain).unwrap();
    let openssl = |arguments: &[&str]| {
        let mut command = Command::new("openssl");
        command.args(arguments).arg("-CAfile").arg(&root).arg("-untrusted").arg(&chain).arg(&chain);
        let output = command.output().expect("openssl runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    openssl(&["verify", "-x509_strict", "-purpose", "sslclient"]);
    openssl(&["verify", "-x509_strict", "-purpose", "sslserver"]);
    let leaf = &certificates(&svid.chain)[0];
    assert_eq!(SpiffeId::of_certificate(leaf).unwrap(), id);
    let (_, parsed) = x509_parser::parse_x509_certificate(leaf).unwrap();
    assert_eq!(parsed.public_key().subject_public_key.data, key.public_key_raw());
}

#[test]
fn an_svid_counts_between_its_ends_and_under_its_own_authority_only() {
    let directory = tempfile::tempdir().unwrap();
    let (ours, theirs) = (open(&directory.path().join("a")), open(&directory.path().join("b")));
    let svid = gateway_svid(&ours);
    verify(ours.bundle(), &svid.chain, SystemTime::now()).expect("valid now");
    verify(ours.bundle(), &svid.chain, svid.not_after + Duration::from_secs(1)).expect_err("expired");
    verify(ours.bundle(), &svid.chain, svid.not_before - Duration::from_secs(1)).expect_err("too early");
    verify(theirs.bundle(), &svid.chain, SystemTime::now()).expect_err("another authority");
}

#[test]
fn the_authority_is_the_same_after_reopening_and_its_keys_are_private() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca");
    let first = open(&path);
    let svid = gateway_svid(&first);
    let bundle = first.bundle().to_string();
    drop(first);
    let again = open(&path);
    assert_eq!(again.bundle(), bundle);
    verify(again.bundle(), &gateway_svid(&again).chain, SystemTime::now()).unwrap();
    verify(again.bundle(), &svid.chain, SystemTime::now()).unwrap();
    for key in ["root.key", "issuing.key"] {
        let mode = std::fs::metadata(path.join(key)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca");
    drop(open(&path));
    let open_to_all = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(path.join("root.key"), open_to_all).unwrap();
    let reopened = Authority::open(&path, DOMAIN, limits::SVID_TTL_DEFAULT, SystemTime::now());
    let error = reopened.err().expect("refused").to_string();
    assert!(error.contains("chmod 600") && error.contains("root.key"), "{error}");
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (a, b) = (directory.path().join("a"), directory.path().join("b"));
    drop(open(&a));
    drop(open(&b));
    let reopen = |domain: &str| {
        let opened = Authority::open(&a, domain, limits::SVID_TTL_DEFAULT, SystemTime::now());
        opened.err().expect("refused").to_string()
    };
    assert!(reopen("other.mesh").contains("trust domain"));
    std::fs::copy(b.join("root.pem"), a.join("root.pem")).unwrap();
    assert!(reopen(DOMAIN).contains("is not the certificate of the key"));
    std::fs::write(a.join("root.pem"), "nonsense").unwrap();
    assert!(reopen(DOMAIN).contains("holds no certificate"));
    std::fs::remove_file(a.join("root.key")).unwrap();
    assert!(reopen(DOMAIN).contains("without root.key"));
}

#[test]
fn the_issuing_certificate_is_renewed_in_time_and_old_svids_stay_valid() {
    let directory = tempfile::tempdir().unwrap();
    let authority = open(&directory.path().join("ca"));
    let old = gateway_svid(&authority);
    let before = authority.issuing_not_after();
    let later = SystemTime::now() + limits::ISSUING_TTL * 3 / 4;
    let request = Request::parse(&request(&[]).1).unwrap();
    let svid = authority.sign_gateway(&request, &SpiffeId::gateway(DOMAIN, "fra"), later).unwrap();
    assert!(authority.issuing_not_after() > before);
    verify(authority.bundle(), &svid.chain, later).unwrap();
    verify(authority.bundle(), &old.chain, SystemTime::now()).unwrap();
}

#[test]
fn a_request_cannot_ask_for_somebody_else() {
    let directory = tempfile::tempdir().unwrap();
    let authority = open(&directory.path().join("ca"));
    let uri = |text: &str| SanType::URI(text.try_into().unwrap());
    let id = SpiffeId::gateway(DOMAIN, "fra");
    let sign = |names: &[SanType]| {
        let request = Request::parse(&request(names).1)?;
        authority.sign_gateway(&request, &id, SystemTime::now())
    };
    assert!(sign(&[uri("spiffe://test.mesh/site/fra/gateway")]).is_ok());
    assert!(sign(&[uri("spiffe://test.mesh/site/iad/gateway")]).is_err());
    assert!(sign(&[uri("https://test.mesh")]).is_err());
    assert!(sign(&[SanType::DnsName("a.b".try_into().unwrap())]).is_err());
}

#[test]
fn a_request_that_is_not_signed_by_its_key_is_refused() {
    let (_, pem) = request(&[]);
    let (label, _) = ("CERTIFICATE REQUEST", ());
    let der = rustls_pki_types::CertificateSigningRequestDer::from_pem_slice(pem.as_bytes()).unwrap();
    let mut bytes = der.as_ref().to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    use base64::Engine;
    let body = base64::engine::general_purpose::STANDARD.encode(bytes);
    let forged = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
    assert!(Request::parse(&forged).is_err());
    assert!(Request::parse("nonsense").is_err());
}

#[test]
fn spiffe_ids_are_read_by_the_rules() {
    for good in ["spiffe://a", "spiffe://a.b-c_1/x", "spiffe://a/site/fra/gateway"] {
        assert_eq!(SpiffeId::parse(good).unwrap().to_string(), good);
    }
    let long = format!("spiffe://a/{}", "x".repeat(2048));
    for bad in [
        "",
        "https://a",
        "spiffe://",
        "spiffe:///x",
        "spiffe://A",
        "spiffe://a/",
        "spiffe://a//b",
        "spiffe://a/../b",
        "spiffe://a/b?c",
        "spiffe://a:1/b",
        "spiffe://u@a/b",
        "spiffe://a/%41",
        &long,
    ] {
        assert!(SpiffeId::parse(bad).is_err(), "{bad}");
    }
    assert_eq!(SpiffeId::gateway("a", "fra").gateway_site(), Some("fra"));
    assert_eq!(SpiffeId::parse("spiffe://a/site/x/y/gateway").unwrap().gateway_site(), None);
    assert_eq!(SpiffeId::control("a").gateway_site(), None);
}
