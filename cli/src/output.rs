//! How answers are printed: a table for people, JSON or YAML for programs.
//!
//! One rule: output that nobody reads any more (`| head`) is no failure; output that cannot be written is one, told
//! as any other.

use std::fmt;
use std::io::{self, Write as _};

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
        Format::Yaml => print(serde_saphyr::to_string(value).map_err(|error| error.to_string())?),
        Format::Json | Format::Table | Format::Wide => print(format_args!("{value:#}\n")),
    }
}

/// Writes to standard output.
pub(crate) fn print(text: impl fmt::Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(|error| Failure::Failed(format!("standard output: {error}"))),
    }
}

/// Writes a line to standard error; where that cannot be written there is nobody to tell.
pub(crate) fn complain(line: impl fmt::Display) {
    let _nobody_to_tell = writeln!(io::stderr(), "{line}");
}

/// Rows under headings, columns as wide as their widest cell.
pub(crate) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let mut lines = line(headings.to_vec());
    lines.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    lines
}

/// A text of a document by path, or `-`.
pub(crate) fn text(document: &Value, pointer: &str) -> String {
    match document.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    }
}
