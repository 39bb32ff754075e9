//! The certificates of one run: a root, a server and a client, P-256, signed by ECDSA with SHA-256.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};

use crate::process::folder::Folder;

/// The name that clients ask for.
pub const SERVER_NAME: &str = "bench.example";

/// Writes `ca.pem`, and `.crt`, `.key` and `.pem` (both in one) of `server` and `client`.
pub fn write(folder: &Folder) -> Result<(), String> {
    let issuer = root().map_err(|e| format!("cannot make a root certificate: {e}"))?;
    folder.write("ca.pem", &issuer.pem())?;
    let server = [dns(SERVER_NAME), uri("spiffe://bench.example/server")];
    let client = [uri("spiffe://bench.example/client")];
    for (name, names) in [("server", server.to_vec()), ("client", client.to_vec())] {
        let (cert, key) = issue(&issuer, names).map_err(|e| format!("cannot make a certificate: {e}"))?;
        folder.write(&format!("{name}.crt"), &cert)?;
        folder.write(&format!("{name}.key"), &key)?;
        folder.write(&format!("{name}.pem"), &format!("{cert}{key}"))?;
    }
    Ok(())
}

fn root() -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, "bench root");
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn issue(
    issuer: &CertifiedIssuer<'static, KeyPair>,
    names: Vec<SanType>,
) -> Result<(String, String), rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.subject_alt_names = names;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate()?;
    let cert = params.signed_by(&key, issuer)?;
    Ok((cert.pem(), key.serialize_pem()))
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().expect("the name is ASCII"))
}

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().expect("the name is ASCII"))
}
