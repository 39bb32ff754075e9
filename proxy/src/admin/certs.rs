//! `/certs`: every certificate in use, with its names and its end; never a key.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::answer::Answer;
use super::state::State;
use crate::identity::described;

/// Certificates and trust roots by secret.
pub(super) fn certs(state: &State) -> Answer {
    let secrets: Vec<Value> = described::all(&state.secrets)
        .into_iter()
        .map(|secret| {
            let certificates: Vec<Value> = secret.certificates.iter().map(certificate).collect();
            json!({
                "name": secret.name,
                "kind": secret.kind,
                "trust_domain": secret.trust_domain,
                "error": secret.error,
                "certificates": certificates,
            })
        })
        .collect();
    Answer::json(&json!({ "certificates": secrets }))
}

fn certificate(certificate: &described::Certificate) -> Value {
    let left = certificate.validity.until.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
    json!({
        "subject": certificate.subject,
        "serial_number": certificate.serial_number,
        "subject_alt_names": certificate.subject_alt_names,
        "valid_from_unix": unix(certificate.validity.from),
        "expiration_time_unix": unix(certificate.validity.until),
        "seconds_until_expiration": left.as_secs(),
        "days_until_expiration": left.as_secs() / 86_400,
    })
}

fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
