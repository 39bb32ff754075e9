//! `tombolo status`: sites, proxies, versions, refusals, certificates.

use clap::Args;
use serde_json::Value;

use crate::client::Client;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Format, print, print_value, table, text};

/// Show the state of the mesh.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Form of the output.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

impl Status {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let target = context.target()?;
        let status = Client::new(&target)?.get("/status").await?;
        if matches!(self.output, Format::Json | Format::Yaml) {
            return print_value(&status, self.output);
        }
        let mut page = format!(
            "control API {}  trust domain {}  revision {}  root expires {}\n\n",
            target.server,
            text(&status, "/trustDomain"),
            text(&status, "/revision"),
            text(&status, "/authority/rootExpiresAt"),
        );
        let rows = |name: &str, pointers: &[&str]| -> Vec<Vec<String>> {
            let entries = status[name].as_array().into_iter().flatten();
            entries.map(|entry| pointers.iter().map(|pointer| text(entry, pointer)).collect()).collect()
        };
        page += &table(
            &["SITE", "GATEWAY", "MESH", "CONNECTED", "CURRENT"],
            &rows("sites", &["/name", "/gateway", "/mesh", "/connected", "/current"]),
        );
        page += "\n";
        page += &table(
            &["PROXY", "MODE", "CONNECTED", "CURRENT", "REVISION", "CERTIFICATE EXPIRES"],
            &rows(
                "proxies",
                &["/id", "/mode", "/connected", "/current", "/revision", "/certificateExpiresAt"],
            ),
        );
        page += "\n";
        page += &types(&status);
        print(page)
    }
}

/// What each proxy was told of each type, and what it refused.
fn types(status: &Value) -> String {
    let mut rows = Vec::new();
    let mut refusals = Vec::new();
    for proxy in status["proxies"].as_array().into_iter().flatten() {
        for of in proxy["types"].as_array().into_iter().flatten() {
            rows.push(vec![
                text(proxy, "/site"),
                text(of, "/type"),
                text(of, "/told"),
                text(of, "/acknowledged"),
                text(of, "/resources"),
                if of["refusal"].is_null() { "ACK".to_owned() } else { "NACK".to_owned() },
            ]);
            if !of["refusal"].is_null() {
                refusals.push(format!(
                    "{} {}: {}",
                    text(proxy, "/site"),
                    text(of, "/type"),
                    text(of, "/refusal/message")
                ));
            }
        }
    }
    let mut page = table(&["SITE", "TYPE", "TOLD", "ACKNOWLEDGED", "RESOURCES", "STATE"], &rows);
    for refusal in refusals {
        page += &format!("NACK {refusal}\n");
    }
    page
}
