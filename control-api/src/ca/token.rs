//! The secrets of join tokens.
//!
//! One rule: a secret exists in memory only as long as it takes to show or to hash it.

use aws_lc_rs::digest;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A new secret for the join token `name`: `<name>.<256 random bits>`.
pub fn generate(name: &str) -> String {
    format!("{name}.{}", random_text())
}

/// 256 random bits as text.
pub fn random_text() -> String {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).expect("the system's random source does not fail once it is seeded");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The token's name in a secret.
pub fn name_of(secret: &str) -> Option<&str> {
    secret.rsplit_once('.').map(|(name, _)| name)
}

/// What is kept of a secret. A plain hash will do: 256 random bits cannot be guessed.
pub fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, secret.as_bytes()))
}
