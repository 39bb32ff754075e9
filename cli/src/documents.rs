//! Resource documents out of YAML or JSON files: several in a file, `---` between them, or a `kind: List`.

use std::io::Read as _;
use std::path::Path;

use serde_json::Value;
use xds::file::PlainDocument;

use crate::failure::Failure;

/// Longest file that is read, bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A document and where it stands.
#[derive(Debug)]
pub(crate) struct Document {
    /// `document 2 (line 14)`.
    pub(crate) place: String,
    /// What it says.
    pub(crate) value: Value,
}

/// Every document of `path` (`-` is standard input).
pub(crate) fn read(path: &Path) -> Result<Vec<Document>, Failure> {
    let place = path.display().to_string();
    let failed = |error: String| Failure::Failed(format!("{place}: {error}"));
    let mut text = String::new();
    if place == "-" {
        std::io::stdin().take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(|e| failed(e.to_string()))?;
    } else {
        let size = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
        if size > FILE_BYTES_MAX {
            return Err(failed(format!("{size} bytes; at most {FILE_BYTES_MAX} are accepted")));
        }
        text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    }
    parse(&text).map_err(failed)
}

/// Every document of a text.
pub(crate) fn parse(text: &str) -> Result<Vec<Document>, String> {
    let documents = xds::file::plain_documents(text).map_err(|error| error.to_string())?;
    let mut all = Vec::new();
    for (index, PlainDocument { line, value }) in documents.into_iter().enumerate() {
        let place = format!("document {} (line {line})", index + 1);
        match value {
            Value::Null => {}
            Value::Object(ref map) if is_list(map) => match map.get("items") {
                Some(Value::Array(items)) => {
                    all.extend(items.iter().enumerate().map(|(item, value)| Document {
                        place: format!("{place}: items[{item}]"),
                        value: value.clone(),
                    }));
                }
                _ => return Err(format!("{place}: kind List: items: a list is needed")),
            },
            Value::Object(_) => all.push(Document { place, value }),
            _ => {
                return Err(format!(
                    "{place}: a document must be a map with apiVersion, kind, metadata and spec"
                ));
            }
        }
    }
    Ok(all)
}

/// The documents without their places, as the control API takes them.
pub(crate) fn values(documents: Vec<Document>) -> Vec<Value> {
    documents.into_iter().map(|document| document.value).collect()
}

fn is_list(map: &serde_json::Map<String, Value>) -> bool {
    map.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_and_lists_become_one_flat_list() {
        let text = "kind: A\n---\nkind: List\nitems:\n- kind: B\n- kind: C\n---\n";
        let kinds: Vec<_> =
            parse(text).unwrap().iter().map(|d| d.value["kind"].as_str().unwrap().to_owned()).collect();
        assert_eq!(kinds, ["A", "B", "C"]);
    }

    #[test]
    fn what_is_no_document_is_refused() {
        assert!(parse("- 1\n- 2\n").is_err());
        assert!(parse("a: [").is_err());
    }
}
