//! What a route does with a request: forward, redirect or answer.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, Method, StatusCode};
use xds::model::{self, ClusterTarget, ConnectConfig, DataSource, RoutingPriority, UpgradeConfig};

use super::hash::HashPolicies;
use super::internal_redirect::InternalRedirects;
use super::mirror::Mirror;
use super::mutation::{Mutations, Stage};
use super::redirect::Redirect;
use super::rewrite::{HostRewrite, PathRewrite};
use crate::body::{RequestHead, Text};
use crate::error::Invalid;
use crate::observe::access_log::Environment;
use crate::policy::descriptor::DescriptorRules;
use crate::policy::draw::Draw;
use crate::policy::filter::{self, Overrides};
use crate::policy::http::Shared;
use crate::policy::retry::RetryRule;
use crate::policy::source;
use crate::policy::timeout::RouteTimeouts;

/// What a route does.
#[derive(Debug)]
pub enum Action {
    /// Sends the request to a cluster.
    Forward(Box<Forward>),
    /// Sends the client elsewhere.
    Redirect(Box<Redirect>),
    /// Answers.
    Direct {
        /// The status.
        status: StatusCode,
        /// The body; empty for none.
        body: Bytes,
    },
}

/// Where and how a request is sent.
#[derive(Debug)]
pub struct Forward {
    /// Which cluster.
    pub target: Target,
    /// The status when that cluster does not exist.
    pub cluster_not_found: StatusCode,
    /// How long things may take.
    pub timeouts: RouteTimeouts,
    /// The path the upstream sees.
    pub path_rewrite: PathRewrite,
    /// The authority the upstream sees.
    pub host_rewrite: HostRewrite,
    /// Whether the old authority goes into `x-forwarded-host`.
    pub append_forwarded_host: bool,
    /// When to try again: the route's rule, else the virtual host's.
    pub retry: Option<RetryRule>,
    /// What a hash balancer hashes.
    pub hash: HashPolicies,
    /// Upgrades that are decided here.
    pub upgrades: Vec<UpgradeConfig>,
    /// Whether tunnels end here.
    pub connect: Option<ConnectConfig>,
    /// Which thresholds count.
    pub priority: RoutingPriority,
    /// Who gets copies: the route's policies, else the virtual host's, else the table's.
    pub mirrors: Vec<Mirror>,
    /// Which redirects are followed, if any is.
    pub internal_redirects: Option<InternalRedirects>,
    pub(super) rate_limits: DescriptorRules,
    pub(super) rate_limits_of_host: bool,
}

/// Which cluster.
#[derive(Debug)]
pub enum Target {
    /// One.
    Cluster(Arc<str>),
    /// One of several.
    Weighted {
        /// The clusters.
        clusters: Vec<WeightedCluster>,
        /// The sum of their weights as configured; never zero.
        total: u64,
    },
    /// The one a request header names.
    Header(HeaderName),
}

/// One of several clusters.
#[derive(Debug)]
pub struct WeightedCluster {
    name: Arc<str>,
    weight: u64,
    /// The runtime key whose value stands in place of the weight; empty for none.
    key: Box<str>,
    authority: Option<Text>,
    request: Mutations,
    response: Mutations,
    overrides: Arc<Overrides>,
}

/// The cluster chosen for a request.
#[derive(Debug, Clone)]
pub struct Cluster<'a> {
    /// Its name.
    pub name: Arc<str>,
    /// The authority that this choice demands.
    pub authority: Option<&'a Text>,
    /// Mutations of the request, if they are not the route's own.
    pub request: Option<&'a Mutations>,
    /// Mutations of the response, if they are not the route's own.
    pub response: Option<&'a Mutations>,
}

/// The levels around an action, each with its request and response stage.
#[derive(Debug, Clone)]
pub(super) struct Levels {
    /// In the order in which they are carried out.
    pub(super) request: Vec<Arc<Stage>>,
    pub(super) response: Vec<Arc<Stage>>,
    /// What is said about filters.
    pub(super) overrides: Arc<Overrides>,
}

/// What the levels around a route say for routes that say nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) retry: Option<&'a model::RetryPolicy>,
    pub(super) mirrors: &'a [model::RequestMirror],
}

impl Levels {
    pub(super) fn mutations(&self) -> (Mutations, Mutations) {
        (Mutations::new(self.request.iter().cloned()), Mutations::new(self.response.iter().cloned()))
    }

    /// The same with a level that is carried out before all others.
    fn after(&self, request: Stage, response: Stage) -> (Mutations, Mutations) {
        let first = |stage: Stage, rest: &[Arc<Stage>]| {
            Mutations::new(std::iter::once(Arc::new(stage)).chain(rest.iter().cloned()))
        };
        (first(request, &self.request), first(response, &self.response))
    }
}

impl Action {
    /// Whether there is anything to choose: weights that runtime values make zero leave a request to the routes
    /// behind, as in Envoy.
    pub(super) fn is_open(&self, draw: Draw<'_>) -> bool {
        match self {
            Self::Forward(forward) => forward.target.is_open(draw),
            Self::Redirect(_) | Self::Direct { .. } => true,
        }
    }

    pub(super) fn compile(
        model: &model::RouteAction,
        levels: &Levels,
        around: Around<'_>,
        shared: &Shared,
        body_bytes_max: usize,
    ) -> Result<Self, Invalid> {
        Ok(match model {
            model::RouteAction::Forward(forward) => {
                let forward = Forward::compile(forward, levels, around, shared);
                Self::Forward(Box::new(forward.map_err(|invalid| invalid.within("route"))?))
            }
            model::RouteAction::Redirect(redirect) => Self::Redirect(Box::new(Redirect::compile(redirect))),
            model::RouteAction::DirectResponse(direct) => {
                let body = direct
                    .body
                    .as_ref()
                    .map(|source| read(source, shared.environment(), body_bytes_max))
                    .transpose();
                let body = body.map_err(|reason| Invalid::new("direct_response.body", reason))?;
                Self::Direct { status: direct.status, body: body.unwrap_or_default() }
            }
        })
    }
}

impl Forward {
    /// Whether what the request carries goes to the cluster as bytes.
    #[must_use]
    pub fn ends_tunnel(&self, head: &RequestHead) -> bool {
        let Some(ConnectConfig { allow_post }) = self.connect else { return false };
        let connects = head.method == Method::CONNECT && head.upgrade.is_none();
        connects || (allow_post && head.method == Method::POST)
    }

    fn compile(
        model: &model::Forward,
        levels: &Levels,
        around: Around<'_>,
        shared: &Shared,
    ) -> Result<Self, Invalid> {
        let model::Forward {
            target,
            cluster_not_found,
            timeout,
            idle_timeout,
            max_stream_duration,
            path_rewrite,
            host_rewrite,
            append_x_forwarded_host,
            retry,
            hash_policy,
            upgrades,
            priority,
            rate_limits,
            request_mirrors,
            internal_redirects,
            connect,
        } = model;
        let mirrors = if request_mirrors.is_empty() { around.mirrors } else { request_mirrors };
        let retry = retry.as_ref().or(around.retry).map(RetryRule::compile).transpose();
        Ok(Self {
            target: Target::compile(target, levels, shared)?,
            cluster_not_found: *cluster_not_found,
            timeouts: RouteTimeouts::new(*timeout, *idle_timeout, *max_stream_duration),
            path_rewrite: PathRewrite::compile(path_rewrite),
            host_rewrite: HostRewrite::compile(host_rewrite)
                .map_err(|reason| Invalid::new("host_rewrite_header", reason))?,
            append_forwarded_host: *append_x_forwarded_host,
            retry: retry.map_err(|invalid| invalid.within("retry_policy"))?,
            hash: HashPolicies::compile(hash_policy).map_err(|reason| Invalid::new("hash_policy", reason))?,
            upgrades: upgrades.clone(),
            connect: *connect,
            priority: *priority,
            mirrors: Mirror::compile_all(mirrors, shared.environment())?,
            internal_redirects: internal_redirects
                .as_ref()
                .map(InternalRedirects::compile)
                .transpose()
                .map_err(|reason| {
                    Invalid::new("internal_redirect_policy.response_headers_to_copy", reason)
                })?,
            rate_limits: DescriptorRules::compile(&rate_limits.rules)?,
            rate_limits_of_host: rate_limits.include_host,
        })
    }
}

impl Target {
    fn compile(model: &ClusterTarget, levels: &Levels, shared: &Shared) -> Result<Self, Invalid> {
        match model {
            ClusterTarget::Cluster(name) => Ok(Self::Cluster(name.as_str().into())),
            ClusterTarget::Header(name) => HeaderName::from_bytes(name.as_bytes())
                .map(Self::Header)
                .map_err(|_| Invalid::new("cluster_header", format!("{name:?} is not a header name"))),
            ClusterTarget::Weighted(model::WeightedClusters { clusters: models, runtime_key_prefix }) => {
                let mut clusters = Vec::with_capacity(models.len());
                for (index, model) in models.iter().enumerate() {
                    let cluster = WeightedCluster::compile(model, runtime_key_prefix, levels, shared);
                    clusters.push(cluster.map_err(|invalid| {
                        invalid.within(&format!("weighted_clusters.clusters[{index}]"))
                    })?);
                }
                let total = clusters.iter().map(|cluster| cluster.weight).sum();
                if total == 0 {
                    return Err(Invalid::new("weighted_clusters", "the weights add up to zero"));
                }
                Ok(Self::Weighted { clusters, total })
            }
        }
    }

    fn is_open(&self, draw: Draw<'_>) -> bool {
        match self {
            Self::Weighted { clusters, .. } if !draw.runtime.is_empty() => {
                clusters.iter().any(|cluster| cluster.weight(draw) > 0)
            }
            Self::Weighted { .. } | Self::Cluster(_) | Self::Header(_) => true,
        }
    }

    /// What the cluster that `draw` chooses says about filters, if one has a say of its own.
    pub(super) fn overrides(&self, draw: Draw<'_>) -> Option<&Overrides> {
        match self {
            Self::Cluster(_) | Self::Header(_) => None,
            Self::Weighted { clusters, total } => {
                split(clusters, *total, draw).map(|cluster| &*cluster.overrides)
            }
        }
    }

    /// The cluster for a request; `None` when the header that should name it does not. `draw` splits.
    #[must_use]
    pub fn choose(&self, head: &RequestHead, draw: Draw<'_>) -> Option<Cluster<'_>> {
        let plain = |name| Cluster { name, authority: None, request: None, response: None };
        match self {
            Self::Cluster(name) => Some(plain(Arc::clone(name))),
            Self::Header(header) => {
                let name = std::str::from_utf8(head.headers.get(header)?.as_bytes()).ok()?;
                (!name.is_empty()).then(|| plain(name.into()))
            }
            Self::Weighted { clusters, total } => {
                let chosen = split(clusters, *total, draw);
                chosen.map(|cluster| Cluster {
                    name: Arc::clone(&cluster.name),
                    authority: cluster.authority.as_ref(),
                    request: Some(&cluster.request),
                    response: Some(&cluster.response),
                })
            }
        }
    }
}

/// The one of `clusters`, whose weights add up to `total` unless runtime values say otherwise, that is chosen.
fn split<'a>(clusters: &'a [WeightedCluster], total: u64, draw: Draw<'_>) -> Option<&'a WeightedCluster> {
    let total = match draw.runtime.is_empty() {
        true => total,
        false => clusters.iter().map(|cluster| cluster.weight(draw)).sum(),
    };
    let mut left = draw.random.checked_rem(total)?;
    clusters.iter().find(|cluster| {
        let weight = cluster.weight(draw);
        let here = left < weight;
        left = left.saturating_sub(weight);
        here
    })
}

impl WeightedCluster {
    /// Its share of the sum; a runtime value beyond 32 bits counts as the largest that fits.
    fn weight(&self, draw: Draw<'_>) -> u64 {
        draw.runtime.integer(&self.key, self.weight).min(u32::MAX.into())
    }

    fn compile(
        model: &model::WeightedCluster,
        key_prefix: &str,
        levels: &Levels,
        shared: &Shared,
    ) -> Result<Self, Invalid> {
        let model::WeightedCluster {
            name,
            weight,
            request_headers,
            response_headers,
            host_rewrite_literal,
            filters,
        } = model;
        let request = Stage::compile(request_headers, shared.environment())
            .map_err(|invalid| invalid.within("request_headers"))?;
        let response = Stage::compile(response_headers, shared.environment())
            .map_err(|invalid| invalid.within("response_headers"))?;
        let (request, response) = levels.after(request, response);
        Ok(Self {
            name: name.as_str().into(),
            weight: u64::from(*weight),
            key: if key_prefix.is_empty() { "".into() } else { format!("{key_prefix}.{name}").into() },
            authority: (!host_rewrite_literal.is_empty()).then(|| Text::from(host_rewrite_literal.as_str())),
            request,
            response,
            overrides: filter::within(&levels.overrides, filters, shared)?,
        })
    }
}

/// The body of a direct response, read when the route is compiled.
fn read(source: &DataSource, environment: &Environment, bytes_max: usize) -> Result<Bytes, String> {
    let bytes = source::read(source, environment)?;
    if bytes.len() > bytes_max {
        let found = bytes.len();
        return Err(format!(
            "the body has {found} bytes, max_direct_response_body_size_bytes accepts {bytes_max}"
        ));
    }
    Ok(bytes)
}
