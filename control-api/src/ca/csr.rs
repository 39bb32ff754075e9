//! Signing requests: whose key is it, and do they hold it.
//!
//! One rule: of a request only the public key is taken; who somebody is never comes from them.

use rcgen::{CertificateSigningRequestParams, PublicKey, SanType};

use super::error::CaError;
use super::spiffe::SpiffeId;

/// A request whose signature proved that its sender holds the key.
pub struct Request {
    /// The key to certify.
    pub public_key: PublicKey,
    asked: Option<SpiffeId>,
}

impl Request {
    /// Reads a PKCS #10 request in PEM and checks its signature.
    pub fn parse(pem: &str) -> Result<Self, CaError> {
        let request = CertificateSigningRequestParams::from_pem(pem)
            .map_err(|e| CaError::Request(format!("{e}: accepted is a PKCS #10 request in PEM")))?;
        let algorithm = request.public_key.algorithm();
        let is_accepted =
            [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519]
                .contains(&algorithm);
        if !is_accepted {
            return Err(CaError::Request("accepted keys are P-256, P-384 and Ed25519".into()));
        }
        Ok(Self { public_key: request.public_key, asked: asked_id(&request.params.subject_alt_names)? })
    }

    /// Refuses a request that asks for another identity than `id`.
    pub fn check_asks_for(&self, id: &SpiffeId) -> Result<(), CaError> {
        match &self.asked {
            Some(asked) if asked != id => Err(CaError::Request(format!("it asks for {asked}, not for {id}"))),
            _ => Ok(()),
        }
    }
}

fn asked_id(names: &[SanType]) -> Result<Option<SpiffeId>, CaError> {
    match names {
        [] => Ok(None),
        [SanType::URI(uri)] => SpiffeId::parse(uri.as_str()).map(Some).map_err(CaError::Request),
        _ => Err(CaError::Request("accepted is no name, or the SPIFFE ID alone".into())),
    }
}
