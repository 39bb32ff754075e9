//! How a cookie that is made here is written.

/// Further attributes as they stand behind the first ones, each with its value if it has one.
pub(super) fn attributes(attributes: &[(String, String)]) -> String {
    let mut text = String::new();
    for (name, value) in attributes {
        text.push_str("; ");
        text.push_str(name);
        if !value.is_empty() {
            text.push('=');
            text.push_str(value);
        }
    }
    text
}
