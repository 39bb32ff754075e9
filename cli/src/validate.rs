//! `tombolo validate`: checks a file without a network: an Envoy bootstrap, or a mesh file.

use std::path::PathBuf;

use clap::Args;
use control_api::resource::object::Object;
use control_api::resource::reference;
use control_api::resource::world::World;
use proxy::boot;

use crate::documents::{self, Document};
use crate::failure::Failure;
use crate::output::print;

/// Check files.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Envoy bootstraps or mesh files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Validate {
    pub(crate) fn run(self) -> Result<(), Failure> {
        for file in &self.files {
            let documents = documents::read(file)?;
            let place = file.display();
            let is_mesh = documents.iter().any(|document| document.value.get("apiVersion").is_some());
            let found = if is_mesh {
                let count = check_mesh(&documents).map_err(|why| format!("{place}: {why}"))?;
                format!("{count} resources")
            } else {
                boot::check_file(file).map_err(Failure::Failed)?;
                "Envoy bootstrap".to_owned()
            };
            print(format_args!("{place}: OK ({found})\n"))?;
        }
        Ok(())
    }
}

/// Checks every document, and that what they name is among them.
fn check_mesh(documents: &[Document]) -> Result<usize, String> {
    let mut world = World::new("tombolo.local");
    for Document { place, value } in documents {
        let object = Object::parse(value).map_err(|invalid| format!("{place}: {invalid}"))?;
        let name = object.object_ref();
        if world.find(&name).is_some() {
            return Err(format!("{place}: {name} stands twice"));
        }
        world.insert(object);
    }
    reference::check(&world).map_err(|misfit| format!("{}: {}", misfit.object, misfit.invalid))?;
    Ok(documents.len())
}
