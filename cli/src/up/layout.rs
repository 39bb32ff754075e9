//! Where everything of an `up` stands: files below the data directory, ports above the base port.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use control_api::resource::kind::Kind;
use serde_json::Value;

use crate::client::Client;
use crate::failure::Failure;
use crate::get;
use crate::output::text;

/// Ports of one site lie this far from the next one's.
const SITE_STEP: u16 = 10;

/// The first site's ports lie this far above the base port.
const SITES_OFFSET: u16 = 100;

/// Where a site's admin server lies among its ports.
const ADMIN_OFFSET: u16 = 2;

/// Files and ports.
#[derive(Debug)]
pub(super) struct Layout {
    root: PathBuf,
    base_port: u16,
}

/// One site's gateway.
#[derive(Debug, Clone)]
pub(super) struct SitePlan {
    /// The site's name.
    pub(super) name: String,
    /// Where the gateway takes its clients.
    pub(super) gateway: SocketAddr,
    /// Where the gateway takes other gateways.
    pub(super) mesh: SocketAddr,
    /// Where its admin server answers.
    pub(super) admin: SocketAddr,
    /// Region and zone; may be empty.
    pub(super) locality: (String, String),
}

impl Layout {
    pub(super) fn new(root: &Path, base_port: u16) -> Result<Self, Failure> {
        if !(1024..=60_000).contains(&base_port) {
            return Err(Failure::Failed(format!("--base-port {base_port}: accepted are 1024 to 60000")));
        }
        let failed = |error: std::io::Error| format!("--data-dir {}: {error}", root.display());
        fs::DirBuilder::new().recursive(true).mode(0o700).create(root.join("logs")).map_err(failed)?;
        let root = root.canonicalize().map_err(failed)?;
        Ok(Self { root, base_port })
    }

    pub(super) fn place(&self) -> std::path::Display<'_> {
        self.root.display()
    }

    pub(super) fn rest(&self) -> SocketAddr {
        self.local(0)
    }

    pub(super) fn discovery(&self) -> SocketAddr {
        self.local(1)
    }

    pub(super) fn control_url(&self) -> String {
        format!("http://{}", self.rest())
    }

    pub(super) fn control_dir(&self) -> PathBuf {
        self.root.join("control")
    }

    pub(super) fn admin_token(&self) -> PathBuf {
        self.control_dir().join("admin-token")
    }

    pub(super) fn bundle(&self) -> PathBuf {
        self.control_dir().join("bundle.pem")
    }

    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.root.join("logs").join(format!("{name}.log"))
    }

    pub(super) fn bootstrap(&self, site: &str) -> PathBuf {
        self.site_dir(site).join("bootstrap.yaml")
    }

    pub(super) fn identity_dir(&self, site: &str) -> PathBuf {
        self.site_dir(site).join("identity")
    }

    pub(super) fn join_token(&self, site: &str) -> PathBuf {
        self.site_dir(site).join("join-token")
    }

    fn site_dir(&self, site: &str) -> PathBuf {
        self.root.join("sites").join(site)
    }

    /// Makes the directory of a site.
    pub(super) fn make_site_dir(&self, site: &str) -> Result<(), Failure> {
        let directory = self.site_dir(site);
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        made.map_err(|error| Failure::Failed(format!("{}: {error}", directory.display())))
    }

    /// A port of the demo's site number `index`: gateway, mesh, admin, then services.
    pub(super) fn site_port(&self, index: u16, offset: u16) -> u16 {
        self.base_port + SITES_OFFSET + index * SITE_STEP + offset
    }

    pub(super) fn is_demo(&self) -> bool {
        self.root.join("demo").exists()
    }

    /// Remembers whether the mesh is the demo, whose services are to be started too.
    pub(super) fn mark_demo(&self, is_demo: bool) -> Result<(), Failure> {
        let mark = self.root.join("demo");
        let done = match (is_demo, mark.exists()) {
            (true, false) => fs::write(&mark, ""),
            (false, true) => fs::remove_file(&mark),
            (true, true) | (false, false) => Ok(()),
        };
        done.map_err(|error| Failure::Failed(format!("{}: {error}", mark.display())))
    }

    /// The sites as the control API knows them, each with an admin port of its own.
    pub(super) async fn sites(&self, client: &Client) -> Result<Vec<SitePlan>, Failure> {
        let sites = get::list(client, Kind::Site).await?;
        if sites.is_empty() {
            return Err(Failure::Failed("the mesh has no Site: nothing to start".to_owned()));
        }
        (0_u16..100).zip(&sites).map(|(index, site)| self.site(site, index)).collect()
    }

    fn site(&self, site: &Value, index: u16) -> Result<SitePlan, Failure> {
        let name = text(site, "/metadata/name");
        let spec = &site["spec"];
        let or_empty =
            |pointer: &str| Some(text(spec, pointer)).filter(|text| text != "-").unwrap_or_default();
        let bind = match or_empty("/gateway/bindAddress") {
            none if none.is_empty() => or_empty("/gateway/address"),
            bind => bind,
        };
        let address = |port: &str| -> Result<SocketAddr, Failure> {
            let place = format!("{bind}:{}", text(spec, port));
            place.parse().map_err(|_| {
                let why = "`up` runs every gateway on this machine and needs an IP address";
                Failure::Failed(format!("Site/{name}: spec.gateway: {place}: {why}"))
            })
        };
        Ok(SitePlan {
            gateway: address("/gateway/port")?,
            mesh: address("/gateway/meshPort")?,
            admin: SocketAddr::from((Ipv4Addr::LOCALHOST, self.site_port(index, ADMIN_OFFSET))),
            locality: (or_empty("/locality/region"), or_empty("/locality/zone")),
            name,
        })
    }

    fn local(&self, offset: u16) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.base_port + offset))
    }
}
