//! JSON lines: objects whose lone commands keep their type.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use xds::model::JsonValue;

use super::environment::Environment;
use super::format::{Format, Needs};
use super::shown::{self, quoted};
use super::value::Value;
use crate::error::Invalid;
use crate::observe::record::{Heads, Record};

/// A compiled JSON format.
#[derive(Debug)]
pub(super) struct JsonFormat {
    root: Node,
    omit_empty: bool,
}

#[derive(Debug)]
enum Node {
    Format(Format),
    /// Already JSON.
    Constant(String),
    Object(Vec<(String, Node)>),
    List(Vec<Node>),
}

impl JsonFormat {
    pub(super) fn compile(
        fields: &BTreeMap<String, JsonValue>,
        omit_empty: bool,
        environment: &Environment,
    ) -> Result<Self, Invalid> {
        Ok(Self { root: compile_object(fields, environment)?, omit_empty })
    }

    /// Appends the object and a newline.
    pub(super) fn render(&self, out: &mut String, record: &Record, heads: &Heads<'_>) {
        self.node(&self.root, out, record, heads);
        out.push('\n');
    }

    pub(super) fn needs(&self, needs: &mut Needs) {
        collect(&self.root, needs);
    }

    /// Appends `node`; answers whether anything was there (else a key with it may be left out).
    fn node(&self, node: &Node, out: &mut String, record: &Record, heads: &Heads<'_>) -> bool {
        match node {
            Node::Constant(json) => out.push_str(json),
            Node::Format(format) => return self.format(format, out, record, heads),
            Node::Object(fields) => {
                out.push('{');
                let mut first = true;
                for (key, value) in fields {
                    let before = out.len();
                    if !first {
                        out.push(',');
                    }
                    out.push_str(key);
                    out.push(':');
                    if self.node(value, out, record, heads) || !self.omit_empty {
                        first = false;
                    } else {
                        out.truncate(before);
                    }
                }
                out.push('}');
            }
            Node::List(values) => {
                out.push('[');
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    self.node(value, out, record, heads);
                }
                out.push(']');
            }
        }
        true
    }

    fn format(&self, format: &Format, out: &mut String, record: &Record, heads: &Heads<'_>) -> bool {
        match format.lone(record, heads) {
            Some(Value::Missing) => {
                out.push_str("null");
                return false;
            }
            Some(Value::Number(number)) => {
                out.write_fmt(format_args!("{number}")).expect("writing to a string cannot fail");
            }
            Some(Value::Text(text)) => quoted(out, &text),
            Some(Value::Quoted(text)) => quoted(out, text),
            Some(Value::Metadata(value)) => shown::json(out, &value),
            None => {
                let mut text = String::new();
                format.render(&mut text, record, heads, if self.omit_empty { "" } else { "-" });
                quoted(out, &text);
            }
        }
        true
    }
}

fn compile_object(fields: &BTreeMap<String, JsonValue>, environment: &Environment) -> Result<Node, Invalid> {
    let fields = fields.iter().map(|(name, value)| {
        let mut key = String::new();
        quoted(&mut key, name);
        let node = compile(value, environment).map_err(|invalid| invalid.within(name))?;
        Ok((key, node))
    });
    Ok(Node::Object(fields.collect::<Result<_, Invalid>>()?))
}

fn compile(value: &JsonValue, environment: &Environment) -> Result<Node, Invalid> {
    Ok(match value {
        JsonValue::Format(format) => {
            Node::Format(Format::compile(format, environment).map_err(|reason| Invalid::new("", reason))?)
        }
        // Whole numbers print without a fraction, as protobuf's JSON does.
        JsonValue::Number(number) => Node::Constant(number.to_string()),
        JsonValue::Bool(bool) => Node::Constant(bool.to_string()),
        JsonValue::Null => Node::Constant("null".to_owned()),
        JsonValue::Object(fields) => compile_object(fields, environment)?,
        JsonValue::List(values) => Node::List(
            values
                .iter()
                .enumerate()
                .map(|(index, value)| {
                    compile(value, environment).map_err(|invalid| invalid.within(&format!("[{index}]")))
                })
                .collect::<Result<_, _>>()?,
        ),
    })
}

fn collect(node: &Node, needs: &mut Needs) {
    match node {
        Node::Format(format) => format.needs(needs),
        Node::Constant(_) => {}
        Node::Object(fields) => fields.iter().for_each(|(_, node)| collect(node, needs)),
        Node::List(nodes) => nodes.iter().for_each(|node| collect(node, needs)),
    }
}
