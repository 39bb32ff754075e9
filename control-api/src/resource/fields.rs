//! Which fields a kind has at a place, for refusals of one that it has not.
//!
//! One rule: it answers from the schema that is served to clients, so that both say the same.

use schemars::JsonSchema;
use serde_json::Value;

/// How many fields an answer names.
const FIELDS_NAMED_MAX: usize = 12;

/// The names accepted beside the last field of `path`, such as `.rules[0].matchess`; empty where the schema of `S`
/// does not tell.
pub fn accepted<S: JsonSchema>(path: &str) -> String {
    let root = schemars::schema_for!(S).to_value();
    let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
    let mut node = resolved(&root, &root);
    for step in parent.split(['.', '[']).filter(|step| !step.is_empty()) {
        let inner = match step.ends_with(']') {
            true => node.and_then(|node| node.get("items")),
            false => node.and_then(|node| node.get("properties")?.get(step)),
        };
        node = inner.and_then(|inner| resolved(&root, inner));
    }
    let properties = node.and_then(|node| node.get("properties")).and_then(Value::as_object);
    let names: Vec<_> = properties.into_iter().flat_map(|properties| properties.keys()).collect();
    let first: Vec<_> = names.iter().take(FIELDS_NAMED_MAX).map(|name| name.as_str()).collect();
    match names.len().saturating_sub(first.len()) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// What a schema says itself: through references, and past the `null` of what may be absent.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> Option<&'a Value> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return resolved(root, root.pointer(reference.strip_prefix('#')?)?);
    }
    if schema.get("properties").is_some() || schema.get("items").is_some() {
        return Some(schema);
    }
    let choices = ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|key| schema.get(key)?.as_array());
    choices.flatten().find_map(|choice| resolved(root, choice))
}

#[cfg(test)]
mod tests {
    use gateway_api::httproutes::HttpRouteSpec;

    #[test]
    fn the_fields_beside_an_unknown_one_are_named() {
        assert_eq!(super::accepted::<HttpRouteSpec>(".rulez"), "hostnames, parentRefs, rules");
        let deep = super::accepted::<HttpRouteSpec>(".rules[0].matches[1].path.typ");
        assert_eq!(deep, "type, value");
        assert_eq!(super::accepted::<HttpRouteSpec>(".no[0].such"), "");
    }
}
