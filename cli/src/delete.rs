//! `tombolo delete`: removes resources; all of them or none.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::apply::outcomes;
use crate::client::Client;
use crate::context::Context;
use crate::documents;
use crate::failure::Failure;
use crate::get::kind_name;
use crate::output::print;

/// Remove resources.
#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Kind, e.g. service.
    #[arg(required_unless_present = "filename", requires = "names")]
    kind: Option<String>,
    /// Names.
    #[arg(conflicts_with = "filename")]
    names: Vec<String>,
    /// Files whose resources are removed.
    #[arg(short, long = "filename", value_name = "FILE", conflicts_with = "kind")]
    filename: Vec<PathBuf>,
    /// Only say what would happen.
    #[arg(long)]
    dry_run: bool,
}

impl Delete {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let mut items: Vec<Value> = Vec::new();
        if let Some(kind) = &self.kind {
            let kind = kind_name(kind)?;
            items.extend(self.names.iter().map(|name| json!({ "kind": kind, "name": name })));
        }
        for file in &self.filename {
            for document in documents::values(documents::read(file)?) {
                items.push(json!({ "kind": document["kind"], "name": document["metadata"]["name"] }));
            }
        }
        let client = Client::new(&context.target()?)?;
        let path = if self.dry_run { "/v1/delete?dryRun=true" } else { "/v1/delete" };
        let answer = client.post(path, &json!({ "items": items })).await?;
        print(outcomes(&answer, if self.dry_run { " (dry run)" } else { "" }))
    }
}
