//! How answers are printed: a table for people, JSON or YAML for programs.

use clap::ValueEnum;
use serde_json::Value;

use crate::failure::Failure;

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns.
    Table,
    /// More columns.
    Wide,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

/// Prints a value in a form for programs.
pub(crate) fn print_value(value: &Value, format: Format) -> Result<(), Failure> {
    match format {
        Format::Yaml => {
            print!("{}", serde_saphyr::to_string(value).map_err(|error| error.to_string())?);
        }
        Format::Json | Format::Table | Format::Wide => println!("{value:#}"),
    }
    Ok(())
}

/// Prints rows under headings, columns as wide as their widest cell.
pub(crate) fn print_table(headings: &[&str], rows: &[Vec<String>]) {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        println!("{}", padded.join("  ").trim_end());
    };
    line(headings.to_vec());
    for row in rows {
        line(row.iter().map(String::as_str).collect());
    }
}

/// A text of a document by path, or `-`.
pub(crate) fn text(document: &Value, pointer: &str) -> String {
    match document.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    }
}
