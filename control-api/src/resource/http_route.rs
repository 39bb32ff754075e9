//! `HTTPRoute`: the Gateway API's kind, checked against what the gateways can do.
//!
//! One rule: what a gateway cannot do is refused here with its field, never left out silently.

use gateway_api::httproutes::{
    HttpRouteParentRefs, HttpRouteRules, HttpRouteRulesBackendRefs, HttpRouteRulesBackendRefsFiltersType,
    HttpRouteRulesFilters, HttpRouteRulesFiltersType, HttpRouteRulesMatches,
    HttpRouteRulesMatchesHeadersType, HttpRouteRulesMatchesPathType, HttpRouteRulesMatchesQueryParamsType,
    HttpRouteSpec,
};

use super::document::Spec;
use super::http_filter;
use super::invalid::Invalid;
use super::kind::Kind;
use super::name;
use super::parent::{Backend, Parent};
use super::span::Span;

impl Spec for HttpRouteSpec {
    const KIND: Kind = Kind::HttpRoute;

    fn check(&self, route: &str) -> Result<(), Invalid> {
        name::check_dns_name("metadata.name", route)?;
        for (i, host) in self.hostnames.iter().flatten().enumerate() {
            name::check_hostname(&format!("spec.hostnames[{i}]"), host)?;
        }
        for (i, reference) in self.parent_refs.iter().flatten().enumerate() {
            let field = format!("spec.parentRefs[{i}]");
            parent(reference).check(&field)?;
            if reference.port.is_some() {
                return Err(Invalid::new(
                    format!("{field}.port"),
                    "a gateway has one HTTP port; leave it out",
                ));
            }
        }
        for (i, rule) in self.rules.iter().flatten().enumerate() {
            check_rule(rule).map_err(|e| e.within(&format!("spec.rules[{i}]")))?;
        }
        if self.rules.as_ref().is_none_or(Vec::is_empty) {
            return Err(Invalid::new("spec.rules", "missing: a route needs a rule"));
        }
        Ok(())
    }
}

/// The parent that a reference of an HTTPRoute names.
pub fn parent(reference: &HttpRouteParentRefs) -> Parent<'_> {
    Parent {
        group: reference.group.as_deref(),
        kind: reference.kind.as_deref(),
        name: &reference.name,
        namespace: reference.namespace.as_deref(),
        port: reference.port,
        section_name: reference.section_name.as_deref(),
    }
}

/// The backend that a reference of an HTTPRoute names.
pub fn backend(reference: &HttpRouteRulesBackendRefs) -> Backend<'_> {
    Backend {
        group: reference.group.as_deref(),
        kind: reference.kind.as_deref(),
        name: &reference.name,
        namespace: reference.namespace.as_deref(),
        port: reference.port,
        weight: reference.weight,
    }
}

/// Whether the route is attached to the gateway of `site`; without parents it is to all.
pub fn is_attached(route: &HttpRouteSpec, site: &str) -> bool {
    match &route.parent_refs {
        Some(parents) if !parents.is_empty() => parents.iter().any(|p| parent(p).covers(site)),
        _ => true,
    }
}

fn check_rule(rule: &HttpRouteRules) -> Result<(), Invalid> {
    for (i, matcher) in rule.matches.iter().flatten().enumerate() {
        check_match(matcher).map_err(|e| e.within(&format!("matches[{i}]")))?;
    }
    let filters: &[HttpRouteRulesFilters] = rule.filters.as_deref().unwrap_or_default();
    http_filter::check(filters, rule.matches.as_deref().unwrap_or_default())?;
    for (i, reference) in rule.backend_refs.iter().flatten().enumerate() {
        let field = format!("backendRefs[{i}]");
        backend(reference).check(&field)?;
        check_backend_filters(reference).map_err(|e| e.within(&field))?;
    }
    let redirects = filters.iter().any(|f| f.r#type == HttpRouteRulesFiltersType::RequestRedirect);
    let has_backends = rule.backend_refs.as_ref().is_some_and(|b| !b.is_empty());
    if redirects == has_backends {
        return Err(Invalid::new(
            "backendRefs",
            if redirects {
                "a rule that redirects forwards to no backend"
            } else {
                "missing: a rule needs a backend, or a RequestRedirect filter"
            },
        ));
    }
    for (field, text) in rule
        .timeouts
        .iter()
        .flat_map(|t| [("timeouts.request", &t.request), ("timeouts.backendRequest", &t.backend_request)])
    {
        if let Some(text) = text {
            text.parse::<Span>().map_err(|e| Invalid::new(field, e))?;
        }
    }
    Ok(())
}

fn check_match(matcher: &HttpRouteRulesMatches) -> Result<(), Invalid> {
    if let Some(path) = &matcher.path {
        let value = path.value.as_deref().unwrap_or("/");
        if path.r#type == Some(HttpRouteRulesMatchesPathType::RegularExpression) {
            check_regex("path.value", value)?;
        } else if !value.starts_with('/') || value.contains("//") || value.contains(['?', '#']) {
            return Err(Invalid::new(
                "path.value",
                format!("{value:?} is not a path: it begins with '/', without '//', '?' and '#'"),
            ));
        }
    }
    for (i, header) in matcher.headers.iter().flatten().enumerate() {
        let field = format!("headers[{i}]");
        name::check_header_name(&format!("{field}.name"), &header.name)?;
        if header.r#type == Some(HttpRouteRulesMatchesHeadersType::RegularExpression) {
            check_regex(&format!("{field}.value"), &header.value)?;
        }
    }
    for (i, parameter) in matcher.query_params.iter().flatten().enumerate() {
        if parameter.name.is_empty() {
            return Err(Invalid::new(format!("queryParams[{i}].name"), "empty"));
        }
        if parameter.r#type == Some(HttpRouteRulesMatchesQueryParamsType::RegularExpression) {
            check_regex(&format!("queryParams[{i}].value"), &parameter.value)?;
        }
    }
    Ok(())
}

fn check_backend_filters(reference: &HttpRouteRulesBackendRefs) -> Result<(), Invalid> {
    for (i, filter) in reference.filters.iter().flatten().enumerate() {
        let is_known = matches!(
            filter.r#type,
            HttpRouteRulesBackendRefsFiltersType::RequestHeaderModifier
                | HttpRouteRulesBackendRefsFiltersType::ResponseHeaderModifier
        );
        if !is_known {
            return Err(Invalid::new(
                format!("filters[{i}].type"),
                "on a backend accepted are RequestHeaderModifier and ResponseHeaderModifier",
            ));
        }
        http_filter::check_backend_headers(filter).map_err(|e| e.within(&format!("filters[{i}]")))?;
    }
    Ok(())
}

fn check_regex(field: &str, pattern: &str) -> Result<(), Invalid> {
    regex::Regex::new(pattern)
        .map(|_| ())
        .map_err(|e| Invalid::new(field, format!("{pattern:?} is not a regular expression: {e}")))
}
