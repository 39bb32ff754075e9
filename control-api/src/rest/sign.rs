//! Identities for proxies: with a join token the first time, with the current SVID from then on.
//!
//! One rule: the site comes from the token or from the certificate, never from the request.

use std::time::SystemTime;

use axum::extract::State;
use axum::{Extension, Json};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::read::{self, Body};
use super::reply::Failure;
use super::state::App;
use crate::ca::csr::Request;
use crate::ca::spiffe::SpiffeId;
use crate::ca::token;
use crate::clock;
use crate::discovery::Peer;
use crate::resource::invalid::Invalid;
use crate::store::error::StoreError;

/// `POST /v1/sign`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SignRequest {
    /// A PKCS #10 request in PEM, with a P-256, P-384 or Ed25519 key. It names nobody, or the
    /// SPIFFE ID that will be issued.
    pub csr: String,
    /// The secret of a join token; not needed over mTLS with a current SVID.
    #[serde(default)]
    pub token: Option<String>,
}

/// An issued identity. Times are RFC 3339.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignAnswer {
    /// Who the caller now is.
    pub spiffe_id: String,
    /// PEM: the leaf, then the issuing certificate.
    pub certificate_chain: String,
    /// PEM: what to trust.
    pub bundle: String,
    /// The mesh's trust domain.
    pub trust_domain: String,
    /// When it begins to count.
    pub not_before: String,
    /// When it ends.
    pub not_after: String,
    /// When to ask for the next one: half way.
    pub renew_at: String,
}

/// `POST /v1/sign`.
pub async fn post(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    body: Body,
) -> Result<Json<SignAnswer>, Failure> {
    let body = read::json(body)?;
    let asked: SignRequest = serde_path_to_error::deserialize(&body)
        .map_err(|e| Invalid::new(e.path().to_string(), e.inner().to_string()))?;
    let peer = peer.map(|Extension(peer)| peer.id);
    let now = SystemTime::now();
    let svid = app
        .blocking(move |app| {
            // The request is checked first, so that a bad one does not use up the token.
            let request = Request::parse(&asked.csr)?;
            let id = match &asked.token {
                Some(secret) => joining(app, secret, &request, now)?,
                None => renewing(app, peer)?,
            };
            app.authority.sign_gateway(&request, &id, now).map_err(Failure::from)
        })
        .await?;
    tracing::info!(id = %svid.id, "identity issued");
    Ok(Json(SignAnswer {
        spiffe_id: svid.id.to_string(),
        bundle: app.authority.bundle().to_string(),
        trust_domain: app.authority.trust_domain().to_string(),
        not_before: clock::text(svid.not_before),
        not_after: clock::text(svid.not_after),
        renew_at: clock::text(svid.renew_at(now)),
        certificate_chain: svid.chain,
    }))
}

/// The gateway of the token's site; uses the token up.
fn joining(app: &App, secret: &str, request: &Request, now: SystemTime) -> Result<SpiffeId, Failure> {
    let unknown = || Failure::from(StoreError::Token("it is not known"));
    let name = token::name_of(secret).ok_or_else(unknown)?;
    let world = app.store.world();
    let site = world.join_tokens().find(|t| t.metadata.name == name).map(|t| t.spec.site.clone());
    let id = SpiffeId::gateway(app.authority.trust_domain(), &site.ok_or_else(unknown)?);
    request.check_asks_for(&id)?;
    app.store.redeem(name, &token::hash(secret), now)?;
    Ok(id)
}

/// The same identity again, as long as its site exists.
fn renewing(app: &App, peer: Option<SpiffeId>) -> Result<SpiffeId, Failure> {
    let Some(id) = peer else {
        let message = "signing needs a join token, or a client certificate of this mesh";
        return Err(Failure::new("unauthenticated", message));
    };
    let known = id.gateway_site().filter(|_| id.trust_domain() == app.authority.trust_domain());
    match known {
        Some(site) if app.store.world().site(site).is_some() => Ok(id),
        Some(site) => Err(Failure::new("forbidden", format!("there is no Site {site:?} any more"))),
        None => Err(Failure::new("forbidden", format!("{id} is not the gateway of a site"))),
    }
}
