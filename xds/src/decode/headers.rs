//! Header names, values and mutations (`HeaderValueOption`).

use envoy_types::pb::envoy::config::core::v3 as pb;
use envoy_types::pb::google::protobuf::BoolValue;
use http::{HeaderName, HeaderValue};
use pb::header_value_option::HeaderAppendAction;

use super::path::{Invalid, Path, absent};
use crate::model::{AppendAction, FormatString, HeaderAdd, HeaderMutations};

/// Most fields a list of mutations may add, as in Envoy.
const HEADERS_TO_ADD_MAX: usize = 1000;

/// A header's name, lower-cased.
pub(super) fn name(path: &Path<'_>, text: &str) -> Result<String, Invalid> {
    match HeaderName::from_bytes(text.as_bytes()) {
        Ok(name) => Ok(name.as_str().to_owned()),
        Err(_) if text.is_empty() => path.refuse("must not be empty"),
        Err(_) => path.refuse(format!("{text:?} is not a header name")),
    }
}

/// A header's name, or a pseudo-header of requests.
pub(super) fn name_or_pseudo(path: &Path<'_>, text: &str) -> Result<String, Invalid> {
    const PSEUDO: [&str; 4] = [":method", ":path", ":authority", ":scheme"];
    if !text.starts_with(':') {
        return name(path, text);
    }
    match PSEUDO.iter().find(|known| known.eq_ignore_ascii_case(text)) {
        Some(known) => Ok((*known).to_owned()),
        None => path.refuse(format!("{text:?} is not a pseudo-header; accepted: {}", PSEUDO.join(", "))),
    }
}

/// A header's value: no control bytes.
pub(super) fn value(path: &Path<'_>, text: &str) -> Result<String, Invalid> {
    match HeaderValue::from_bytes(text.as_bytes()) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => path.refuse(format!("{text:?} holds a control character, which no header value may")),
    }
}

/// An attribute of a cookie, with its value if it has one.
pub(super) fn attribute(path: &Path<'_>, name: &str, text: &str) -> Result<(String, String), Invalid> {
    let at = path.field("name");
    Ok((value(&at, &at.non_empty(name)?)?, value(&path.field("value"), text)?))
}

/// Metadata of a gRPC stream: a name and a value without commands.
pub(super) fn literal_value(path: &Path<'_>, header: &pb::HeaderValue) -> Result<(String, String), Invalid> {
    let pb::HeaderValue { key, value, raw_value } = header;
    absent!(path; raw_value);
    Ok((
        name(&path.field("key"), key)?,
        literal_text(&path.field("value"), &format(&path.field("value"), value)?)?,
    ))
}

/// A field of a health check: a name and a value without commands.
pub(super) fn literal(path: &Path<'_>, option: &pb::HeaderValueOption) -> Result<(String, String), Invalid> {
    let HeaderAdd { name, value, action, keep_empty_value } = add(path, option)?;
    if action != AppendAction::AppendIfExistsOrAdd || keep_empty_value {
        return path.refuse("only key and value are supported here");
    }
    Ok((name, literal_text(&path.field("header").field("value"), &value)?))
}

fn literal_text(path: &Path<'_>, format: &FormatString) -> Result<String, Invalid> {
    match format.as_literal() {
        Some(text) => Ok(text.to_owned()),
        None => path.refuse(format!("{:?} holds commands; only text is accepted", format.as_str())),
    }
}

fn format(path: &Path<'_>, text: &str) -> Result<FormatString, Invalid> {
    FormatString::parse(&value(path, text)?).map_err(|reason| path.invalid(reason))
}

/// What a level of routing adds and removes, on requests and on responses.
pub(super) fn mutations(
    path: &Path<'_>,
    request: (&[pb::HeaderValueOption], &[String]),
    response: (&[pb::HeaderValueOption], &[String]),
) -> Result<(HeaderMutations, HeaderMutations), Invalid> {
    let on =
        |(add, remove): (&[pb::HeaderValueOption], &[String]), at_add: &Path<'_>, at_remove: &Path<'_>| {
            Ok(HeaderMutations {
                add: additions(at_add, add)?,
                remove: at_remove.each(remove, |at, text| mutable(at, text))?,
            })
        };
    let to = |name| path.field(name);
    Ok((
        on(request, &to("request_headers_to_add"), &to("request_headers_to_remove"))?,
        on(response, &to("response_headers_to_add"), &to("response_headers_to_remove"))?,
    ))
}

/// Fields to add.
pub(super) fn additions(
    path: &Path<'_>,
    options: &[pb::HeaderValueOption],
) -> Result<Vec<HeaderAdd>, Invalid> {
    if options.len() > HEADERS_TO_ADD_MAX {
        let found = options.len();
        return path.refuse(format!("has {found} fields; at most {HEADERS_TO_ADD_MAX} are accepted"));
    }
    path.each(options, add)
}

/// A field to add.
pub(super) fn add(path: &Path<'_>, option: &pb::HeaderValueOption) -> Result<HeaderAdd, Invalid> {
    let pb::HeaderValueOption { header, append, append_action, keep_empty_value } = option;
    let at = path.field("header");
    let pb::HeaderValue { key, value: text, raw_value } = at.required(header)?;
    absent!(at; raw_value);
    Ok(HeaderAdd {
        name: mutable(&at.field("key"), key)?,
        value: format(&at.field("value"), text)?,
        action: action(path, append, *append_action)?,
        keep_empty_value: *keep_empty_value,
    })
}

/// A name that configuration may touch: the pseudo-headers and `host` decide routing and framing.
pub(super) fn mutable(path: &Path<'_>, text: &str) -> Result<String, Invalid> {
    if text.starts_with(':') || text.eq_ignore_ascii_case("host") {
        return path
            .refuse(format!("{text:?} may not be added or removed; use host_rewrite or a path rewrite"));
    }
    name(path, text)
}

fn action(path: &Path<'_>, append: &Option<BoolValue>, action: i32) -> Result<AppendAction, Invalid> {
    let at = path.field("append_action");
    let action = match at.known(action)? {
        HeaderAppendAction::AppendIfExistsOrAdd => AppendAction::AppendIfExistsOrAdd,
        HeaderAppendAction::AddIfAbsent => AppendAction::AddIfAbsent,
        HeaderAppendAction::OverwriteIfExistsOrAdd => AppendAction::OverwriteIfExistsOrAdd,
        HeaderAppendAction::OverwriteIfExists => AppendAction::OverwriteIfExists,
    };
    match append {
        Some(_) if action != AppendAction::AppendIfExistsOrAdd => {
            path.field("append").refuse("and append_action are both set; keep append_action")
        }
        Some(BoolValue { value: false }) => Ok(AppendAction::OverwriteIfExistsOrAdd),
        Some(BoolValue { value: true }) | None => Ok(action),
    }
}
