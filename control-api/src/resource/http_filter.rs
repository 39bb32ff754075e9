//! The filters of an HTTPRoute: which are known, and that each is complete.
//!
//! One rule: a filter's body stands under the field that its type names, and nowhere else.

use gateway_api::httproutes::{
    HttpRouteRulesBackendRefsFilters, HttpRouteRulesFilters, HttpRouteRulesFiltersRequestRedirect,
    HttpRouteRulesFiltersRequestRedirectPathType, HttpRouteRulesFiltersType, HttpRouteRulesFiltersUrlRewrite,
    HttpRouteRulesFiltersUrlRewritePathType, HttpRouteRulesMatches, HttpRouteRulesMatchesPathType,
};

use super::invalid::Invalid;
use super::name;

/// Changes to headers, in the one form that the six types of the Gateway API share.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeaderChanges {
    /// Overwritten or added.
    pub set: Vec<(String, String)>,
    /// Added beside what is there.
    pub add: Vec<(String, String)>,
    /// Taken out.
    pub remove: Vec<String>,
}

impl HeaderChanges {
    /// The changes that a filter makes to the request.
    pub fn of_request(filter: &HttpRouteRulesFilters) -> Option<Self> {
        let changes = filter.request_header_modifier.as_ref()?;
        Some(Self {
            set: pairs(&changes.set, |h| (&h.name, &h.value)),
            add: pairs(&changes.add, |h| (&h.name, &h.value)),
            remove: changes.remove.clone().unwrap_or_default(),
        })
    }

    /// The changes that a filter makes to the response.
    pub fn of_response(filter: &HttpRouteRulesFilters) -> Option<Self> {
        let changes = filter.response_header_modifier.as_ref()?;
        Some(Self {
            set: pairs(&changes.set, |h| (&h.name, &h.value)),
            add: pairs(&changes.add, |h| (&h.name, &h.value)),
            remove: changes.remove.clone().unwrap_or_default(),
        })
    }

    /// The changes that a backend's filter makes to the request.
    pub fn of_backend_request(filter: &HttpRouteRulesBackendRefsFilters) -> Option<Self> {
        let changes = filter.request_header_modifier.as_ref()?;
        Some(Self {
            set: pairs(&changes.set, |h| (&h.name, &h.value)),
            add: pairs(&changes.add, |h| (&h.name, &h.value)),
            remove: changes.remove.clone().unwrap_or_default(),
        })
    }

    /// The changes that a backend's filter makes to the response.
    pub fn of_backend_response(filter: &HttpRouteRulesBackendRefsFilters) -> Option<Self> {
        let changes = filter.response_header_modifier.as_ref()?;
        Some(Self {
            set: pairs(&changes.set, |h| (&h.name, &h.value)),
            add: pairs(&changes.add, |h| (&h.name, &h.value)),
            remove: changes.remove.clone().unwrap_or_default(),
        })
    }

    fn check(&self) -> Result<(), Invalid> {
        for (list, pairs) in [("set", &self.set), ("add", &self.add)] {
            for (i, (header, value)) in pairs.iter().enumerate() {
                let field = format!("{list}[{i}]");
                check_changeable(&format!("{field}.name"), header)?;
                name::check_header_value(&format!("{field}.value"), value)?;
            }
        }
        for (i, header) in self.remove.iter().enumerate() {
            check_changeable(&format!("remove[{i}]"), header)?;
        }
        Ok(())
    }
}

/// Checks the filters of a rule whose matches are `matches`.
pub fn check(filters: &[HttpRouteRulesFilters], matches: &[HttpRouteRulesMatches]) -> Result<(), Invalid> {
    let mut seen: Vec<&HttpRouteRulesFiltersType> = Vec::new();
    for (i, filter) in filters.iter().enumerate() {
        let field = format!("filters[{i}]");
        if seen.contains(&&filter.r#type) {
            return Err(Invalid::new(
                format!("{field}.type"),
                format!("{:?} stands twice in one rule", filter.r#type),
            ));
        }
        seen.push(&filter.r#type);
        check_one(filter, matches).map_err(|e| e.within(&field))?;
    }
    let both = [HttpRouteRulesFiltersType::RequestRedirect, HttpRouteRulesFiltersType::UrlRewrite];
    if both.iter().all(|t| seen.contains(&t)) {
        return Err(Invalid::new("filters", "RequestRedirect and URLRewrite exclude each other"));
    }
    Ok(())
}

/// Checks the header changes of a backend's filter.
pub fn check_backend_headers(filter: &HttpRouteRulesBackendRefsFilters) -> Result<(), Invalid> {
    let changes = [
        HeaderChanges::of_backend_request(filter).map(|c| ("requestHeaderModifier", c)),
        HeaderChanges::of_backend_response(filter).map(|c| ("responseHeaderModifier", c)),
    ];
    for (field, changes) in changes.into_iter().flatten() {
        changes.check().map_err(|e| e.within(field))?;
    }
    Ok(())
}

fn check_one(filter: &HttpRouteRulesFilters, matches: &[HttpRouteRulesMatches]) -> Result<(), Invalid> {
    let missing = |field: &str| Invalid::new(field, "missing, as its type names it");
    match filter.r#type {
        HttpRouteRulesFiltersType::RequestHeaderModifier => HeaderChanges::of_request(filter)
            .ok_or_else(|| missing("requestHeaderModifier"))?
            .check()
            .map_err(|e| e.within("requestHeaderModifier")),
        HttpRouteRulesFiltersType::ResponseHeaderModifier => HeaderChanges::of_response(filter)
            .ok_or_else(|| missing("responseHeaderModifier"))?
            .check()
            .map_err(|e| e.within("responseHeaderModifier")),
        HttpRouteRulesFiltersType::RequestRedirect => {
            let redirect = filter.request_redirect.as_ref().ok_or_else(|| missing("requestRedirect"))?;
            check_redirect(redirect, matches).map_err(|e| e.within("requestRedirect"))
        }
        HttpRouteRulesFiltersType::UrlRewrite => {
            let rewrite = filter.url_rewrite.as_ref().ok_or_else(|| missing("urlRewrite"))?;
            check_rewrite(rewrite, matches).map_err(|e| e.within("urlRewrite"))
        }
        HttpRouteRulesFiltersType::RequestMirror
        | HttpRouteRulesFiltersType::ExtensionRef
        | HttpRouteRulesFiltersType::Cors => Err(Invalid::new(
            "type",
            "accepted are RequestHeaderModifier, ResponseHeaderModifier, RequestRedirect and URLRewrite",
        )),
    }
}

fn check_redirect(
    redirect: &HttpRouteRulesFiltersRequestRedirect,
    matches: &[HttpRouteRulesMatches],
) -> Result<(), Invalid> {
    if let Some(host) = &redirect.hostname {
        name::check_dns_name("hostname", host)?;
    }
    if let Some(port) = redirect.port
        && !(1..=65535).contains(&port)
    {
        return Err(Invalid::new("port", format!("{port}: accepted are 1 to 65535")));
    }
    let code = redirect.status_code.unwrap_or(302);
    if ![301, 302, 303, 307, 308].contains(&code) {
        return Err(Invalid::new("statusCode", format!("{code}: accepted are 301, 302, 303, 307 and 308")));
    }
    let Some(path) = &redirect.path else {
        return Ok(());
    };
    let (field, value) = match path.r#type {
        HttpRouteRulesFiltersRequestRedirectPathType::ReplaceFullPath => {
            ("path.replaceFullPath", &path.replace_full_path)
        }
        HttpRouteRulesFiltersRequestRedirectPathType::ReplacePrefixMatch => {
            check_prefix_matches(matches)?;
            ("path.replacePrefixMatch", &path.replace_prefix_match)
        }
    };
    check_replacement(field, value.as_deref())
}

fn check_rewrite(
    rewrite: &HttpRouteRulesFiltersUrlRewrite,
    matches: &[HttpRouteRulesMatches],
) -> Result<(), Invalid> {
    if let Some(host) = &rewrite.hostname {
        name::check_dns_name("hostname", host)?;
    }
    let Some(path) = &rewrite.path else {
        return Ok(());
    };
    let (field, value) = match path.r#type {
        HttpRouteRulesFiltersUrlRewritePathType::ReplaceFullPath => {
            ("path.replaceFullPath", &path.replace_full_path)
        }
        HttpRouteRulesFiltersUrlRewritePathType::ReplacePrefixMatch => {
            check_prefix_matches(matches)?;
            ("path.replacePrefixMatch", &path.replace_prefix_match)
        }
    };
    check_replacement(field, value.as_deref())
}

/// A prefix can be replaced only where a prefix was matched (Gateway API).
fn check_prefix_matches(matches: &[HttpRouteRulesMatches]) -> Result<(), Invalid> {
    let is_prefix = |m: &HttpRouteRulesMatches| {
        m.path
            .as_ref()
            .is_none_or(|p| matches!(p.r#type, None | Some(HttpRouteRulesMatchesPathType::PathPrefix)))
    };
    if matches.iter().all(is_prefix) {
        return Ok(());
    }
    Err(Invalid::new("path.type", "ReplacePrefixMatch needs every match of the rule to be a PathPrefix"))
}

fn check_replacement(field: &str, value: Option<&str>) -> Result<(), Invalid> {
    match value {
        None => Err(Invalid::new(field, "missing, as its type names it")),
        Some(path) if path.starts_with('/') && !path.contains(['#', ' ', '\\']) => Ok(()),
        Some(path) => Err(Invalid::new(
            field,
            format!("{path:?} is not a path: it begins with '/', without '#', ' ' and '\\'"),
        )),
    }
}

/// Headers that frame or address the message belong to the gateway.
fn check_changeable(field: &str, header: &str) -> Result<(), Invalid> {
    name::check_header_name(field, header)?;
    const FRAMING: [&str; 5] = ["host", "content-length", "transfer-encoding", "connection", "upgrade"];
    if FRAMING.contains(&header.to_ascii_lowercase().as_str()) {
        return Err(Invalid::new(field, format!("{header:?} cannot be changed by a header filter")));
    }
    Ok(())
}

fn pairs<H>(headers: &Option<Vec<H>>, split: impl Fn(&H) -> (&String, &String)) -> Vec<(String, String)> {
    let owned = |h: &H| {
        let (name, value) = split(h);
        (name.clone(), value.clone())
    };
    headers.iter().flatten().map(owned).collect()
}
