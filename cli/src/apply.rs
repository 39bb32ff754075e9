//! `tombolo apply`: creates or changes resources; all of them or none.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::client::Client;
use crate::context::Context;
use crate::documents;
use crate::failure::Failure;
use crate::output::{Format, print, print_value, text};

/// Create or change resources.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// Files with resources, YAML or JSON; - is standard input.
    #[arg(short, long = "filename", value_name = "FILE", required = true)]
    filename: Vec<PathBuf>,
    /// Only say what would happen.
    #[arg(long)]
    dry_run: bool,
    /// Form of the output.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

impl Apply {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let mut items = Vec::new();
        for file in &self.filename {
            items.extend(documents::values(documents::read(file)?));
        }
        if items.is_empty() {
            return Err(Failure::Failed("no resource in what was given".to_owned()));
        }
        let client = Client::new(&context.target()?)?;
        let path = if self.dry_run { "/v1/apply?dryRun=true" } else { "/v1/apply" };
        let answer = client.post(path, &json!({ "items": items })).await?;
        if self.output != Format::Table && self.output != Format::Wide {
            return print_value(&answer, self.output);
        }
        print(outcomes(&answer, if self.dry_run { " (dry run)" } else { "" }))
    }
}

/// One line per resource: `Service/cart configured`.
pub(crate) fn outcomes(answer: &Value, note: &str) -> String {
    let mut lines = String::new();
    for item in answer["items"].as_array().into_iter().flatten() {
        let object = &item["object"];
        let (kind, name) = (text(object, "/kind"), text(object, "/metadata/name"));
        lines.push_str(&format!("{kind}/{name} {}{note}\n", text(item, "/outcome")));
        if let Some(secret) = object.pointer("/status/secret").and_then(Value::as_str) {
            lines.push_str(&format!("  token (shown once): {secret}\n"));
        }
    }
    lines
}
