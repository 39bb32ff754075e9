//! Runtime layers of the bootstrap, and what RTDS sends (`envoy.service.runtime.v3.Runtime`).

use std::collections::BTreeMap;

use envoy_types::pb::envoy::config::bootstrap::v3 as pb;
use envoy_types::pb::envoy::service::runtime::v3::Runtime;
use envoy_types::pb::google::protobuf::Struct;
use pb::runtime_layer::{AdminLayer, LayerSpecifier, RtdsLayer};

use super::metadata;
use super::path::{Invalid, Path};
use super::source;
use crate::model::{ConfigSource, RuntimeLayer, RuntimeSource, RuntimeValues, Value};

/// The layers of a bootstrap; `ads` says whether it has an aggregated stream.
pub(super) fn layers(
    path: &Path<'_>,
    layered: &Option<pb::LayeredRuntime>,
    ads: bool,
) -> Result<Vec<RuntimeLayer>, Invalid> {
    let Some(pb::LayeredRuntime { layers }) = layered else { return Ok(Vec::new()) };
    let path = path.field("layers");
    path.unique("runtime layer", layers.iter().map(|layer| layer.name.as_str()))?;
    let decoded = path.each(layers, |path, found| layer(path, found, ads))?;
    let mut of_admin = decoded.iter().enumerate().filter(|(_, layer)| layer.source == RuntimeSource::Admin);
    match of_admin.nth(1) {
        Some((index, _)) => path.index(index).field("admin_layer").refuse("is the second; one is accepted"),
        None => Ok(decoded),
    }
}

fn layer(path: &Path<'_>, layer: &pb::RuntimeLayer, ads: bool) -> Result<RuntimeLayer, Invalid> {
    let pb::RuntimeLayer { name, layer_specifier } = layer;
    let name = path.field("name").non_empty(name)?;
    let source = match layer_specifier {
        Some(LayerSpecifier::StaticLayer(object)) => {
            RuntimeSource::Static(entries(&path.field("static_layer"), object)?)
        }
        Some(LayerSpecifier::AdminLayer(AdminLayer {})) => RuntimeSource::Admin,
        Some(LayerSpecifier::RtdsLayer(layer)) => rtds(&path.field("rtds_layer"), layer, ads)?,
        Some(LayerSpecifier::DiskLayer(_)) => return path.field("disk_layer").unsupported(),
        None => return path.refuse("is empty; accepted: static_layer, admin_layer, rtds_layer"),
    };
    Ok(RuntimeLayer { name, source })
}

fn rtds(path: &Path<'_>, layer: &RtdsLayer, ads: bool) -> Result<RuntimeSource, Invalid> {
    let RtdsLayer { name, rtds_config } = layer;
    let resource = path.field("name").non_empty(name)?;
    let path = path.field("rtds_config");
    let source = source::config_source(&path, path.required(rtds_config)?)?;
    if !ads && matches!(source, ConfigSource::Ads { .. }) {
        return path.field("ads").refuse("needs dynamic_resources.ads_config, which is not set");
    }
    Ok(RuntimeSource::Rtds { resource, source })
}

/// What RTDS sends.
pub(super) fn runtime(path: &Path<'_>, runtime: &Runtime) -> Result<RuntimeValues, Invalid> {
    let Runtime { name, layer } = runtime;
    let at = path.field("layer");
    let values = match layer {
        Some(layer) => entries(&at, layer)?,
        None => BTreeMap::new(),
    };
    Ok(RuntimeValues { name: path.field("name").non_empty(name)?, values })
}

/// The entries of a layer: what Envoy's runtime can hold.
fn entries(path: &Path<'_>, layer: &Struct) -> Result<BTreeMap<String, Value>, Invalid> {
    let entries = metadata::object(path, layer)?;
    check(path, &entries)?;
    Ok(entries)
}

fn check(path: &Path<'_>, entries: &BTreeMap<String, Value>) -> Result<(), Invalid> {
    for (key, value) in entries {
        let path = path.key(key);
        match value {
            Value::Number(_) | Value::Bool(_) | Value::String(_) => {}
            Value::Struct(inner) => check(&path.inside(), inner)?,
            Value::Null | Value::List(_) => {
                return path
                    .refuse("is null or a list; accepted: a number, a truth value, a text, an object");
            }
        }
    }
    Ok(())
}
