//! `handrail verify`: what of the signatures in a file can be verified, with the checks of the server's
//! `$verify-signature`. Nobody is asked whether a certificate was revoked unless `--ask` says so. SPEC: rows F31 to F34.

use crate::{clock, egress::Egress, fault::Fault, print, signatures, tls};
use authserver::{egress::Fetch, udap::status};
use clap::Args;
use fhir::{json::Tree, schema};
use oauth::x509::Anchors;
use rest::signature::{Against, Covers, Examined, Standing, Verdict, examine, signatures as all_of};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

/// Verify the signatures in a file.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail verify document.json --anchors ca.pem
  handrail verify provenance.json --target observation.json --who practitioner.json --anchors ca.pem --ask

Every check is a line: passed, failed, or not-checked. The exit code is 0 when there is a signature and
all of them are valid, 1 when one is invalid, 2 when something could not be checked.")]
pub(super) struct Verify {
    /// The resource with the signatures, in JSON
    file: PathBuf,
    /// What a Provenance is about, in the version that was signed
    #[arg(long, value_name = "FILE")]
    target: Option<PathBuf>,
    /// Whom Signature.who means
    #[arg(long, value_name = "FILE")]
    who: Option<PathBuf>,
    /// Certificates of the authorities that are believed, in PEM
    #[arg(long, value_name = "FILE")]
    anchors: Vec<PathBuf>,
    /// Ask the authorities that the certificates name whether they were revoked
    #[arg(long)]
    ask: bool,
}

impl Verify {
    /// Does it.
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        let tree = resource(&self.file)?;
        let target = self.target.as_deref().map(resource).transpose()?;
        let who = self.who.as_deref().map(resource).transpose()?;
        let anchors: Vec<Anchors> = signatures::anchors(&self.anchors)?.into_iter().collect();
        let now_s = clock::now().unix_seconds();
        let mut worst = None;
        for signature in all_of(&tree, schema::r4()) {
            let against = match (&signature.covers, &target) {
                (Covers::Target(_), Some(target)) => Against::Resource(target.root()),
                (Covers::Target(_), None) => Against::NotFound,
                (Covers::Itself(_) | Covers::Unknown(_), _) => Against::Resource(tree.root()),
            };
            let mut examined = examine(&signature, against, &anchors, now_s);
            if examined.verifies() {
                self.revocation(&mut examined, now_s).await?;
                let who = who.as_ref().map(|who| (who.root(), signature.who().unwrap_or_default()));
                examined.signer(&signature, who.as_ref().map(|(who, url)| (*who, url.as_str())));
            }
            shown(&examined);
            worst = Some(match (worst, examined.verdict()) {
                (Some(Verdict::Invalid), _) | (_, Verdict::Invalid) => Verdict::Invalid,
                (Some(Verdict::Indeterminate), _) | (_, Verdict::Indeterminate) => Verdict::Indeterminate,
                _ => Verdict::Valid,
            });
        }
        Ok(match worst {
            Some(Verdict::Valid) => ExitCode::SUCCESS,
            Some(Verdict::Invalid) => ExitCode::FAILURE,
            Some(Verdict::Indeterminate) => ExitCode::from(2),
            None => {
                print::note("the resource has no signature of its own");
                ExitCode::from(2)
            }
        })
    }

    async fn revocation(&self, examined: &mut Examined, now_s: i64) -> Result<(), Fault> {
        let Some(chain) = examined.chain.clone() else { return Ok(()) };
        let mut standings = Vec::new();
        if self.ask {
            let trust = tls::trust::client_config(None).map_err(Fault::new)?;
            let fetch: Arc<dyn Fetch> = Arc::new(Egress::new(trust, Vec::new()));
            for (certificate, issuer) in chain.issued() {
                let said = status::ask(Arc::clone(&fetch), certificate, issuer, clock::now()).await;
                standings.push(signatures::standing(said));
            }
        } else {
            let nobody = Standing::Unavailable("nobody was asked; see --ask".into());
            standings.extend(chain.issued().map(|_| nobody.clone()));
        }
        examined.revocation(&standings, None, now_s);
        Ok(())
    }
}

fn shown(examined: &Examined) {
    print::result(format_args!("{}  {}", examined.place, examined.verdict().code()));
    for check in &examined.checks {
        print::result(format_args!("  {:<16} {:<12} {}", check.name, check.outcome.code(), check.text));
    }
}

/// A resource of a file, JSON.
pub(super) fn resource(file: &Path) -> Result<Tree, Fault> {
    let bytes = std::fs::read(file).map_err(|why| Fault::at(file.display(), why))?;
    let tree = Tree::parse(bytes).map_err(|why| {
        Fault::at(file.display(), format_args!("line {}, column {}: {}", why.line, why.column, why.kind))
    })?;
    match tree.resource_type() {
        Some(_) => Ok(tree),
        None => Err(Fault::at(file.display(), "no resource: it has no resourceType")),
    }
}

/// The text of a key file.
pub(super) fn key_text(file: &Path) -> Result<String, Fault> {
    std::fs::read_to_string(file).map_err(|why| Fault::at(file.display(), why))
}
