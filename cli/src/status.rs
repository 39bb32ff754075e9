//! `tombolo status`: sites, proxies, versions, refusals, certificates.

use clap::Args;
use serde_json::Value;

use crate::client::Client;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Format, print_table, print_value, text};

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
        println!(
            "control API {}  trust domain {}  revision {}  root expires {}",
            target.server,
            text(&status, "/trustDomain"),
            text(&status, "/revision"),
            text(&status, "/authority/rootExpiresAt"),
        );
        println!();
        let rows = |name: &str, pointers: &[&str]| -> Vec<Vec<String>> {
            let entries = status[name].as_array().into_iter().flatten();
            entries.map(|entry| pointers.iter().map(|pointer| text(entry, pointer)).collect()).collect()
        };
        print_table(
            &["SITE", "GATEWAY", "MESH", "CONNECTED", "CURRENT"],
            &rows("sites", &["/name", "/gateway", "/mesh", "/connected", "/current"]),
        );
        println!();
        print_table(
            &["PROXY", "MODE", "CONNECTED", "CURRENT", "REVISION", "CERTIFICATE EXPIRES"],
            &rows(
                "proxies",
                &["/id", "/mode", "/connected", "/current", "/revision", "/certificateExpiresAt"],
            ),
        );
        print_types(&status);
        Ok(())
    }
}

fn print_types(status: &Value) {
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
    println!();
    print_table(&["SITE", "TYPE", "TOLD", "ACKNOWLEDGED", "RESOURCES", "STATE"], &rows);
    for refusal in refusals {
        println!("NACK {refusal}");
    }
}
