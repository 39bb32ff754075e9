//! Who may use the REST interface: whoever can read the admin token's file.
//!
//! One rule: without a word to the contrary in the router, a request needs the token.

use std::path::Path;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::ca::error::CaError;
use crate::ca::{key_file, token};

/// The administrator's bearer token.
pub struct AdminToken {
    hash: String,
}

impl AdminToken {
    /// The token in the file, which is made if it does not exist. Only its owner can read it.
    pub fn open(path: &Path) -> Result<Self, CaError> {
        if !path.exists() {
            key_file::write_secret(path, &token::random_text())?;
        }
        let text = key_file::read_secret(path)?;
        let secret = text.trim();
        if secret.len() < SECRET_BYTES_MIN {
            return Err(CaError::Broken {
                path: path.to_path_buf(),
                reason: format!("holds fewer than {SECRET_BYTES_MIN} characters, which could be guessed"),
            });
        }
        Ok(Self { hash: token::hash(secret) })
    }

    /// Whether an `Authorization` header presents the token (RFC 6750). Hashes are compared, so the
    /// time it takes tells nothing.
    pub fn is_presented_by(&self, authorization: Option<&http::HeaderValue>) -> bool {
        let presented = authorization.and_then(|value| value.to_str().ok()).and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        presented.is_some_and(|presented| {
            verify_slices_are_equal(token::hash(presented).as_bytes(), self.hash.as_bytes()).is_ok()
        })
    }
}

/// A token that a person may have written into the file has at least this many characters.
const SECRET_BYTES_MIN: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_in_the_file_is_accepted() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin-token");
        let token = AdminToken::open(&path).unwrap();
        let secret = std::fs::read_to_string(&path).unwrap();
        let header = |text: String| http::HeaderValue::try_from(text).unwrap();
        assert!(token.is_presented_by(Some(&header(format!("Bearer {secret}")))));
        assert!(AdminToken::open(&path).unwrap().is_presented_by(Some(&header(format!("bearer {secret}")))));
        assert!(!token.is_presented_by(None));
        for wrong in [String::new(), secret.clone(), "Bearer ".into(), format!("Bearer {secret}x")] {
            assert!(!token.is_presented_by(Some(&header(wrong.clone()))), "{wrong}");
        }
        std::fs::write(&path, "short").unwrap();
        assert!(AdminToken::open(&path).is_err());
    }
}
