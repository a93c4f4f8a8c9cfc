//! What every verb is given.

use crate::args::{FromArgs, Global};
use crate::config;
use crate::failure::Failure;
use crate::talk::Talk;
use lakeql_engine::{Session, SessionBuilder};
use lakeql_lake::{Lake, Snapshot};
use std::sync::Arc;

/// The flags of the whole program and what follows from them.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) global: Global,
    pub(crate) talk: Talk,
}

impl Context {
    pub(crate) fn new(global: Global) -> Self {
        let talk = Talk::new(&global);
        Self { global, talk }
    }

    /// The version of the lake that the flags name, without an engine around it.
    pub(crate) async fn snapshot(&self) -> Result<Arc<Snapshot>, Failure> {
        let lake = Lake::open(&self.global.lake).await?;
        Ok(lake.snapshot(self.global.as_of.unwrap_or_default()).await?)
    }

    /// Opens the lake for queries.
    pub(crate) async fn session(&self) -> Result<Session, Failure> {
        self.build(Session::builder(&self.global.lake)).await
    }

    /// Opens what the query is to ask: the plain files that are named, or else the lake.
    pub(crate) async fn session_from(&self, args: &FromArgs) -> Result<Session, Failure> {
        if args.from.is_empty() {
            return self.session().await;
        }
        // A flag that would silently mean nothing is a mistake.
        for (given, flag) in [(self.global.lake_from_flag, "--lake"), (self.global.as_of.is_some(), "--as-of")] {
            if given {
                return Err(Failure::Usage(format!("--from asks plain files, {flag} asks a lake: use one of them")));
            }
        }
        self.build(Session::of_files(args.from.clone())).await
    }

    async fn build(&self, mut builder: SessionBuilder) -> Result<Session, Failure> {
        if let Some(as_of) = self.global.as_of {
            builder = builder.as_of(as_of);
        }
        if let Some(bytes) = self.global.memory {
            builder = builder.memory_bytes(bytes);
        }
        if let Some(threads) = self.global.threads {
            builder = builder.threads(threads.get());
        }
        if let Some(timeout) = self.global.timeout {
            builder = builder.timeout(timeout);
        }
        builder = builder.filters(config::filters(&self.global)?);
        Ok(builder.build().await?)
    }
}
