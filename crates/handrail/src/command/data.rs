//! `--data DIR`, and the choice between a running server and the directory itself.

use crate::{
    assembly::{self, BaseUrl},
    config::Validation,
    control::{self, Order, Reply},
    fault::Fault,
};
use authserver::egress::NoFetch;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Carries out an order: by the server that runs on the directory, else on the directory itself.
///
/// # Errors
/// [`Fault`].
pub(super) async fn carry_out(directory: &Path, order: Order) -> Result<Reply, Fault> {
    carry_out_under(directory, order, || Ok(Validation::default())).await
}

/// The same for an order that the rules of the configuration bear upon: a running server knows them, for a
/// directory at rest they are read.
///
/// # Errors
/// [`Fault`].
pub(super) async fn carry_out_under(
    directory: &Path,
    order: Order,
    rules: impl FnOnce() -> Result<Validation, Fault>,
) -> Result<Reply, Fault> {
    let asked = control::ask(directory, &order).await;
    let asked = asked.map_err(|why| Fault::at("the server on this data directory does not answer", why))?;
    match asked {
        Some(reply) => Ok(reply),
        None => {
            let opened = assembly::open(directory, BaseUrl::AsItWas, false, &rules()?, Arc::new(NoFetch))?;
            Ok(control::perform(&opened.hands(), order))
        }
    }
}

/// A reply that is none to the order: what was refused, in its own words.
pub(super) fn unexpected(reply: Reply) -> Fault {
    match reply {
        Reply::Refused(why) => Fault::new(why),
        other => Fault::new(format_args!("the server gave an unexpected reply: {other:?}")),
    }
}

/// The directory, which must be one already: a mistyped path should not become an empty store.
///
/// # Errors
/// [`Fault`].
pub(super) fn existing(directory: &Path) -> Result<&Path, Fault> {
    if directory.is_dir() {
        Ok(directory)
    } else {
        Err(Fault::at(directory.display(), "there is no such data directory")
            .fix("name the directory that 'handrail serve --data' was given"))
    }
}

/// An absolute form for lines that are pasted elsewhere.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
