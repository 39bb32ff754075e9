//! `tombolo get`: shows resources, and with `-o wide` what became of them at the proxies.

use clap::Args;
use control_api::resource::kind::Kind;
use serde_json::{Value, json};

use crate::client::Client;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Format, print, print_value, table, text};

/// Show resources.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// Kind, e.g. services; all shows every kind.
    kind: String,
    /// Name; without it all of the kind.
    name: Option<String>,
    /// Form of the output; wide shows refusals by proxies.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

impl Get {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(&context.target()?)?;
        let kinds = if self.kind == "all" { Kind::ALL.to_vec() } else { vec![kind(&self.kind)?] };
        let mut items = Vec::new();
        for kind in kinds {
            match &self.name {
                Some(name) => items.push(client.get(&format!("/v1/{}/{name}", kind.plural())).await?),
                None => items.extend(list(&client, kind).await?),
            }
        }
        match (self.output, &self.name) {
            (Format::Table | Format::Wide, _) => print(rows(&items, self.output == Format::Wide))?,
            (format, Some(_)) => print_value(&items[0], format)?,
            (format, None) => {
                print_value(&json!({ "apiVersion": "v1", "kind": "List", "items": items }), format)?;
            }
        }
        Ok(())
    }
}

/// Every resource of a kind, page by page.
pub(crate) async fn list(client: &Client, kind: Kind) -> Result<Vec<Value>, Failure> {
    let mut items = Vec::new();
    let mut path = format!("/v1/{}", kind.plural());
    loop {
        let mut page = client.get(&path).await?;
        if let Some(Value::Array(more)) = page.get_mut("items").map(Value::take) {
            items.extend(more);
        }
        match page.pointer("/metadata/continue").and_then(Value::as_str) {
            Some(after) => path = format!("/v1/{}?continue={after}", kind.plural()),
            None => return Ok(items),
        }
    }
}

fn kind(word: &str) -> Result<Kind, Failure> {
    let word = word.to_ascii_lowercase();
    let fits = |kind: &Kind| kind.plural() == word || kind.name().to_ascii_lowercase() == word;
    Kind::ALL.into_iter().find(fits).ok_or_else(|| {
        let known: Vec<_> = Kind::ALL.iter().map(|kind| kind.plural()).collect();
        Failure::Failed(format!("kind {word:?} is not known; known are {}, all", known.join(", ")))
    })
}

/// The `kind` of documents for a word on the command line.
pub(crate) fn kind_name(word: &str) -> Result<&'static str, Failure> {
    kind(word).map(Kind::name)
}

fn rows(items: &[Value], wide: bool) -> String {
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|item| {
            let programmed = condition(item, "Programmed");
            let mut row = vec![
                text(item, "/kind"),
                text(item, "/metadata/name"),
                text(item, "/metadata/generation"),
                programmed.as_ref().map_or("-".to_owned(), |condition| text(condition, "/reason")),
            ];
            if wide {
                row.push(text(item, "/metadata/creationTimestamp"));
                row.push(programmed.as_ref().map_or("-".to_owned(), |condition| text(condition, "/message")));
            }
            row
        })
        .collect();
    let headings: &[&str] = if wide {
        &["KIND", "NAME", "GENERATION", "STATE", "CREATED", "MESSAGE"]
    } else {
        &["KIND", "NAME", "GENERATION", "STATE"]
    };
    let mut lines = table(headings, &rows);
    for item in items.iter().filter(|_| wide) {
        for refusal in item.pointer("/status/refusals").and_then(Value::as_array).into_iter().flatten() {
            lines.push_str(&format!(
                "{}/{} refused by {}: {} {}: {}\n",
                text(item, "/kind"),
                text(item, "/metadata/name"),
                text(refusal, "/proxy"),
                text(refusal, "/type"),
                text(refusal, "/resource"),
                text(refusal, "/message"),
            ));
        }
    }
    lines
}

fn condition(item: &Value, kind: &str) -> Option<Value> {
    let conditions = item.pointer("/status/conditions")?.as_array()?;
    conditions.iter().find(|condition| condition["type"] == kind).cloned()
}
