//! `tombolo up`: a whole mesh on this machine, in one process tree, by the same commands as in production.
//!
//! It writes each proxy's bootstrap, starts `tombolo control`, `tombolo proxy` for every site and the demo's
//! services as children, and ends them all when it ends.

mod child;

mod layout;

mod demo;

mod ports;

mod bootstrap;

mod join;

mod ready;

mod show;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use control_api::resource::kind::Kind;
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use crate::client::Client;
use crate::context::{Context, Target};
use crate::documents;
use crate::failure::Failure;
use crate::output::{complain, print};

use child::{Child, Children};
use layout::{Layout, SitePlan};

/// Start a whole mesh.
#[derive(Debug, Args)]
pub(crate) struct Up {
    /// A mesh of your own instead of the demo.
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    filename: Option<PathBuf>,
    /// Form of the output.
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    output: Form,
    /// First port: the control API takes it and the next one, sites and the demo take later ones.
    #[arg(long, default_value_t = 7600)]
    base_port: u16,
    /// Longest wait until everything answers, seconds.
    #[arg(long, default_value_t = 60)]
    timeout_s: u64,
    /// How long SVIDs are valid, seconds.
    #[arg(long, default_value_t = 3600)]
    svid_ttl_s: u64,
    /// Worker threads of each proxy.
    #[arg(long, default_value_t = 1)]
    concurrency: usize,
}

/// What `up` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people.
    Table,
    /// One JSON document on one line.
    Json,
}

impl Up {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let layout = Layout::new(&context.data_dir, self.base_port)?;
        let mut children = Children::default();
        let shown = tokio::select! {
            shown = self.start(context, &layout, &mut children) => shown.map(|()| true),
            () = told_to_end() => Ok(false),
        };
        let done = match shown {
            Ok(true) => wait_for_the_end(&mut children).await,
            Ok(false) => Ok(()),
            Err(failure) => Err(children.explain(failure)),
        };
        children.end().await;
        done
    }

    /// Starts everything and prints once all of it answers.
    async fn start(
        &self,
        context: &Context,
        layout: &Layout,
        children: &mut Children,
    ) -> Result<(), Failure> {
        let mesh =
            self.filename.as_ref().map(|file| documents::read(file).map(documents::values)).transpose()?;
        ports::check_ports_of_control(layout)?;
        let limit = Duration::from_secs(self.timeout_s);
        let target = Target { server: layout.control_url(), token_file: layout.admin_token() };
        children.start(self.control(layout)?)?;
        ready::control(layout, limit, children).await?;
        context.remember(&target)?;
        let client = Client::new(&target)?;
        let is_demo = apply(&client, mesh, layout).await?;
        let sites = layout.sites(&client).await?;
        let services = if is_demo { demo::services(layout) } else { Vec::new() };
        ports::check_ports(&sites, &services)?;
        for service in &services {
            children.start(service.command()?)?;
        }
        for site in &sites {
            join::prepare(&client, layout, site).await?;
            bootstrap::write(layout, site)?;
            children.start(self.proxy(layout, site)?)?;
        }
        let tries = ready::mesh(&client, &sites, limit, children).await?;
        match self.output {
            Form::Json => print(format_args!("{}\n", show::json(layout, &sites, &tries))),
            Form::Table => print(show::table(layout, &sites, &tries, &services, children)),
        }
    }

    fn control(&self, layout: &Layout) -> Result<Child, Failure> {
        let mut control = Child::of_this_program("control", layout.log("control"))?;
        control.arg("control");
        control.arg("--control-dir").arg(layout.control_dir());
        control.arg("--rest").arg(layout.rest().to_string());
        control.arg("--discovery").arg(layout.discovery().to_string());
        control.arg("--svid-ttl-s").arg(self.svid_ttl_s.to_string());
        control.arg("--exit-with-parent");
        Ok(control)
    }

    fn proxy(&self, layout: &Layout, site: &SitePlan) -> Result<Child, Failure> {
        let mut proxy = Child::of_this_program(&format!("proxy {}", site.name), layout.log(&site.name))?;
        proxy.arg("proxy").arg("-c").arg(layout.bootstrap(&site.name));
        proxy.arg("--concurrency").arg(self.concurrency.to_string());
        proxy.arg("--identity-url").arg(format!("https://{}", layout.discovery()));
        proxy.arg("--trust-bundle").arg(layout.bundle());
        proxy.arg("--identity-dir").arg(layout.identity_dir(&site.name));
        proxy.arg("--join-token-file").arg(layout.join_token(&site.name));
        proxy.arg("--drain-time-s").arg("5");
        proxy.arg("--exit-with-parent");
        Ok(proxy)
    }
}

/// Applies the mesh: the user's always, the demo's when there is nothing yet. Tells whether it is the demo.
async fn apply(client: &Client, mesh: Option<Vec<Value>>, layout: &Layout) -> Result<bool, Failure> {
    let kept = crate::get::list(client, Kind::Site).await?;
    let (items, is_demo) = match mesh {
        Some(items) => (items, false),
        None if kept.is_empty() => (demo::mesh(layout)?, true),
        None => return Ok(layout.is_demo()),
    };
    client.post("/v1/apply", &json!({ "items": items })).await?;
    layout.mark_demo(is_demo)?;
    Ok(is_demo)
}

/// Resolves when the user ends the mesh.
async fn told_to_end() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// Serves until told to end; a child that ends by itself is named and left ended.
async fn wait_for_the_end(children: &mut Children) -> Result<(), Failure> {
    let told = told_to_end();
    tokio::pin!(told);
    loop {
        tokio::select! {
            () = &mut told => return Ok(()),
            ended = children.next_ended() => complain(ended),
        }
    }
}
