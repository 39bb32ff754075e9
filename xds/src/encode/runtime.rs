//! Runtime layers and values.

use envoy_types::pb::envoy::config::bootstrap::v3 as pb;
use envoy_types::pb::envoy::service::runtime::v3::Runtime;
use pb::runtime_layer::{AdminLayer, LayerSpecifier, RtdsLayer};

use super::metadata;
use super::source;
use crate::model::{RuntimeLayer, RuntimeSource, RuntimeValues};

pub(super) fn layers(layers: &[RuntimeLayer]) -> Option<pb::LayeredRuntime> {
    let layers: Vec<_> = layers.iter().map(layer).collect();
    (!layers.is_empty()).then_some(pb::LayeredRuntime { layers })
}

fn layer(layer: &RuntimeLayer) -> pb::RuntimeLayer {
    let RuntimeLayer { name, source: from } = layer;
    let specifier = match from {
        RuntimeSource::Static(values) => LayerSpecifier::StaticLayer(metadata::object(values)),
        RuntimeSource::Admin => LayerSpecifier::AdminLayer(AdminLayer {}),
        RuntimeSource::Rtds { resource, source } => LayerSpecifier::RtdsLayer(RtdsLayer {
            name: resource.clone(),
            rtds_config: Some(source::config_source(source)),
        }),
    };
    pb::RuntimeLayer { name: name.clone(), layer_specifier: Some(specifier) }
}

pub(super) fn runtime(runtime: &RuntimeValues) -> Runtime {
    let RuntimeValues { name, values } = runtime;
    Runtime { name: name.clone(), layer: Some(metadata::object(values)) }
}
