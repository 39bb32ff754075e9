//! What tables and virtual hosts say for the routes inside them.

use std::sync::Arc;

use xds::model;

use super::mutation::Stage;
use crate::error::Invalid;
use crate::observe::access_log::Environment;
use crate::policy::filter::Overrides;
use crate::policy::http::Shared;

/// What lies around a virtual host.
pub(super) struct Outer<'a> {
    pub(super) table: Level,
    pub(super) overrides: Arc<Overrides>,
    pub(super) mirrors: &'a [model::RequestMirror],
    pub(super) specific_wins: bool,
    pub(super) shared: &'a Shared,
    pub(super) body_bytes_max: usize,
}

/// The mutations of one level.
pub(super) struct Level {
    pub(super) request: Arc<Stage>,
    pub(super) response: Arc<Stage>,
}

impl Level {
    pub(super) fn compile(
        request: &model::HeaderMutations,
        response: &model::HeaderMutations,
        environment: &Environment,
    ) -> Result<Self, Invalid> {
        let request =
            Stage::compile(request, environment).map_err(|invalid| invalid.within("request_headers"))?;
        let response =
            Stage::compile(response, environment).map_err(|invalid| invalid.within("response_headers"))?;
        Ok(Self { request: Arc::new(request), response: Arc::new(response) })
    }
}
