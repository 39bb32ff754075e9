//! Redirects (`RedirectAction`): one that would send the client where it came from is refused.

use envoy_types::pb::envoy::config::route::v3 as pb;
use http::StatusCode;
use pb::redirect_action::{PathRewriteSpecifier, RedirectResponseCode, SchemeRewriteSpecifier};

use super::headers;
use super::matcher;
use super::path::{Invalid, Path};
use crate::model::{Redirect, RedirectPath};

/// A redirect.
pub(super) fn redirect(path: &Path<'_>, action: &pb::RedirectAction) -> Result<Redirect, Invalid> {
    let pb::RedirectAction {
        host_redirect,
        port_redirect,
        response_code,
        strip_query,
        scheme_rewrite_specifier,
        path_rewrite_specifier,
    } = action;
    let host = headers::value(&path.field("host_redirect"), host_redirect)?;
    let redirect = Redirect {
        scheme: scheme(path, scheme_rewrite_specifier)?,
        host: Some(host).filter(|host| !host.is_empty()),
        port: match port_redirect {
            0 => None,
            port => Some(path.field("port_redirect").port(*port)?),
        },
        path: path_redirect(path, path_rewrite_specifier)?,
        status: match path.field("response_code").known(*response_code)? {
            RedirectResponseCode::MovedPermanently => StatusCode::MOVED_PERMANENTLY,
            RedirectResponseCode::Found => StatusCode::FOUND,
            RedirectResponseCode::SeeOther => StatusCode::SEE_OTHER,
            RedirectResponseCode::TemporaryRedirect => StatusCode::TEMPORARY_REDIRECT,
            RedirectResponseCode::PermanentRedirect => StatusCode::PERMANENT_REDIRECT,
        },
        strip_query: *strip_query,
    };
    let moves = redirect.scheme.is_some()
        || redirect.host.is_some()
        || redirect.port.is_some()
        || redirect.path != RedirectPath::Keep
        || redirect.strip_query;
    if !moves {
        return path.refuse("changes nothing, so a client would be sent round for ever; set what changes");
    }
    Ok(redirect)
}

fn scheme(path: &Path<'_>, specifier: &Option<SchemeRewriteSpecifier>) -> Result<Option<String>, Invalid> {
    match specifier {
        None | Some(SchemeRewriteSpecifier::HttpsRedirect(false)) => Ok(None),
        Some(SchemeRewriteSpecifier::HttpsRedirect(true)) => Ok(Some("https".to_owned())),
        Some(SchemeRewriteSpecifier::SchemeRedirect(scheme)) => {
            let scheme = scheme.to_ascii_lowercase();
            if scheme == "http" || scheme == "https" {
                return Ok(Some(scheme));
            }
            path.field("scheme_redirect").refuse(format!("{scheme:?} is not accepted; http and https are"))
        }
    }
}

fn path_redirect(path: &Path<'_>, specifier: &Option<PathRewriteSpecifier>) -> Result<RedirectPath, Invalid> {
    match specifier {
        None => Ok(RedirectPath::Keep),
        Some(PathRewriteSpecifier::PathRedirect(text)) if text.is_empty() => Ok(RedirectPath::Keep),
        Some(PathRewriteSpecifier::PathRedirect(text)) => {
            headers::value(&path.field("path_redirect"), text).map(RedirectPath::Replace)
        }
        Some(PathRewriteSpecifier::PrefixRewrite(text)) => {
            headers::value(&path.field("prefix_rewrite"), text).map(RedirectPath::Prefix)
        }
        Some(PathRewriteSpecifier::RegexRewrite(rewrite)) => {
            let (regex, substitution) = matcher::substitution(&path.field("regex_rewrite"), rewrite)?;
            Ok(RedirectPath::Regex { regex, substitution })
        }
        Some(PathRewriteSpecifier::PathRewrite(_)) => path.field("path_rewrite").unsupported(),
    }
}
