//! Lets a site's proxy join: a one-time token, in case it has no valid SVID.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::layout::{Layout, SitePlan};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::text;

/// Makes a token for `site` and puts it where its proxy looks. A token that is not needed expires by itself.
pub(super) async fn prepare(client: &Client, layout: &Layout, site: &SitePlan) -> Result<(), Failure> {
    layout.make_site_dir(&site.name)?;
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let token = json!({
        "apiVersion": "tombolo.dev/v1alpha1",
        "kind": "JoinToken",
        "metadata": { "name": format!("up-{millis}-{}", site.name) },
        "spec": { "site": site.name, "ttl": "10m" },
    });
    let answer = client.post("/v1/jointokens", &token).await?;
    let path = layout.join_token(&site.name);
    let failed = |error: std::io::Error| Failure::Failed(format!("{}: {error}", path.display()));
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&path).map_err(failed)?;
    file.write_all(text(&answer, "/status/secret").as_bytes()).map_err(failed)
}
