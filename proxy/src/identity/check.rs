//! Looks at a secret before it is taken into use.
//!
//! One rule: what passes here can be used; what does not never replaces what is in use.

use xds::model::{Secret, SecretKind};

use super::pem;
use super::secrets::Secrets;
use super::trust::Trust;

/// Whether `secret` can be taken into `secrets` as it is.
///
/// # Errors
/// What is wrong, without the secret's content.
pub fn check_secret(secret: &Secret, secrets: &Secrets) -> Result<(), String> {
    let variables = secrets.variables();
    match &secret.kind {
        SecretKind::TlsCertificate { chain, key } => pem::certified_key(chain, key, variables).map(drop),
        SecretKind::ValidationContext(context) => Trust::build(&[context], variables).map(drop),
    }
}
