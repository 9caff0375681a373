//! `handrail sign`: a Signature over a resource in a file, for a Provenance or for the resource itself.
//!
//! The key never leaves this machine, and no server is asked. SPEC: R4 datatypes.html#Signature, json.html#canonical;
//! RFC 7515; rows F29, F30. Left out: XML.

use super::verify::{key_text, resource};
use crate::{clock, fault::Fault, print, signatures};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::{Args, ValueEnum};
use fhir::{
    Instant,
    canonical::{Form, Notation, canonical},
    json::{Tree, Writer},
};
use oauth::{jws::detached, sign::PrivateKey, x509::Certificate};
use std::{path::PathBuf, process::ExitCode};

/// What a signature covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Covers {
    /// The whole resource, its id, version and labels with it
    All,
    /// All but the narrative
    Data,
    /// All but narrative and meta: it holds when the resource moves to another server
    Static,
    /// Id and narrative
    Narrative,
    /// Of a Bundle: all but its own id and meta
    Document,
}

/// Sign a resource.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail sign observation.json --key me.key --chain me.pem --who Practitioner/1
  handrail sign observation.json --key me.key --chain me.pem --who Practitioner/1 --provenance
  handrail sign document.json --key me.key --chain me.pem --who Practitioner/1 --covers document

Prints a Signature (with --provenance a Provenance about the version in the file) as JSON. Sign what the
server stored, as it gave it out: then it covers id and version where the form does. What the forms cover,
and how the server verifies, says docs/signatures.md.")]
pub(super) struct Sign {
    /// The resource, in JSON
    file: PathBuf,
    /// Private key: PEM or JWK
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Its certificate and what leads to an anchor, in PEM, its own first
    #[arg(long, value_name = "FILE")]
    chain: PathBuf,
    /// Who signs, as a reference
    #[arg(long, value_name = "REFERENCE")]
    who: String,
    /// What is covered; of a Bundle of type document the default is document, else static
    #[arg(long, value_enum)]
    covers: Option<Covers>,
    /// Why it is signed: a code of ASTM E1762 (1.2.840.10065.1.12.1.1: the author's signature)
    #[arg(long, value_name = "CODE", default_value = "1.2.840.10065.1.12.1.1")]
    purpose: String,
    /// Print a whole Provenance with the signature in it
    #[arg(long)]
    provenance: bool,
}

impl Sign {
    /// Does it.
    pub(super) fn run(self) -> Result<ExitCode, Fault> {
        let tree = resource(&self.file)?;
        let root = tree.root();
        let kind = tree.resource_type().unwrap_or_default().into_owned();
        let text = |name: &str| root.get(name).and_then(fhir::json::Value::as_str).map(std::borrow::Cow::into_owned);
        let is_document = kind == "Bundle" && text("type").as_deref() == Some("document");
        let covers = self.covers.unwrap_or(if is_document { Covers::Document } else { Covers::Static });
        if covers == Covers::Document && kind != "Bundle" {
            return Err(Fault::new("--covers document is for Bundles"));
        }
        let form = match covers {
            Covers::All => Form::Whole,
            Covers::Data => Form::Data,
            Covers::Static => Form::Static,
            Covers::Narrative => Form::Narrative,
            Covers::Document => Form::Document,
        };
        let chain = signatures::certificates(&self.chain)?;
        let key = PrivateKey::parse(&key_text(&self.key)?, None).map_err(|why| Fault::at(self.key.display(), why))?;
        let leaf = chain.first().map(|der| Certificate::read(der)).transpose();
        let leaf = leaf.map_err(|why| Fault::at(self.chain.display(), why))?;
        if leaf.is_none_or(|leaf| leaf.key().material() != key.public().material()) {
            return Err(Fault::at(self.chain.display(), "the first certificate is not that of the key"));
        }
        // A Bundle's own signature cannot cover itself.
        let own: Vec<_> = root.get("signature").filter(|_| kind == "Bundle").into_iter().collect();
        let payload =
            canonical(root, form, Notation::Rfc8785, &own).map_err(|why| Fault::at(self.file.display(), why))?;
        let now = Instant::from_unix_millis(clock::now().unix_seconds() * 1000);
        let when = now.to_string();
        let when = when.strip_suffix(".000Z").map_or_else(|| when.clone(), |seconds| format!("{seconds}Z"));
        let jws = detached::sign(&key, &chain, &when, &payload).map_err(Fault::new)?;
        let signature = |w: &mut Writer| self.signature(w, &jws, form, &when);
        let mut w = Writer::new();
        if self.provenance {
            let target = target(&tree, &kind).ok_or_else(|| {
                Fault::at(self.file.display(), "has no id and meta.versionId, so no version of it can be named")
                    .fix("sign the resource as the server gave it out")
            })?;
            w.object(|w| {
                w.member("resourceType", "Provenance");
                w.key("target");
                w.array(|w| w.object(|w| w.member("reference", &target)));
                w.member("recorded", &when);
                w.key("agent");
                w.array(|w| {
                    w.object(|w| {
                        w.key("who");
                        w.object(|w| w.member("reference", &self.who));
                    })
                });
                w.key("signature");
                w.array(signature);
            });
        } else {
            signature(&mut w);
        }
        print::result(String::from_utf8(w.into_bytes()).map_err(Fault::new)?);
        Ok(ExitCode::SUCCESS)
    }

    fn signature(&self, w: &mut Writer, jws: &str, form: Form, when: &str) {
        w.object(|w| {
            w.key("type");
            w.array(|w| {
                w.object(|w| {
                    w.member("system", "urn:iso-astm:E1762-95:2013");
                    w.member("code", &self.purpose);
                })
            });
            w.member("when", when);
            w.key("who");
            w.object(|w| w.member("reference", &self.who));
            w.member("targetFormat", &format!("application/fhir+json;canonicalization={}", form.url()));
            w.member("sigFormat", "application/jose");
            w.member("data", &STANDARD.encode(jws));
        });
    }
}

/// The version that a file holds.
fn target(tree: &Tree, kind: &str) -> Option<String> {
    let root = tree.root();
    let id = root.get("id")?.as_str()?;
    let version = root.get("meta")?.get("versionId")?.as_str()?;
    Some(format!("{kind}/{id}/_history/{version}"))
}
