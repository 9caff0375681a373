//! `docs/configuration.md`, written from the table. A test holds the file equal to it.

use super::table::{Setting, TABLE};
use std::fmt::Write as _;

const HEAD: &str = "\
# Configuration

Written from the table in `crates/handrail/src/config/table.rs` (`BLESS=1 cargo test -p handrail configuration`).

Every setting can stand in a TOML file (`--config FILE` or `HANDRAIL_CONFIG`), in an environment variable, or behind a
flag of `handrail serve`. A flag goes before the environment, the environment before the file, the file before the
default. `handrail config` prints what is in effect and where each value comes from; it takes the same flags and file.

- A name that is not in this table is refused, in the file and as `HANDRAIL_…`, and the nearest known one is told.
  Variables that Kubernetes and container links make for a service called `handrail` are left alone.
- A value that does not fit is refused with its place: `handrail.toml:7:15`, the variable or the flag. All mistakes are
  told at once. A value that another overrides must fit too.
- Relative paths are relative to the file; those of variables and flags to the working directory.
- Lists are arrays in the file; elsewhere their items are divided by commas. A flag of a list may be repeated.
- No setting holds a secret, only paths of files that do. None weakens a check.
- Limits that are not settings are constants with their reason in each crate's `limits.rs`.

";

/// The whole document.
pub(crate) fn markdown() -> String {
    let mut text = HEAD.to_owned();
    text.push_str("| setting | value | default | variable, flag | what |\n|---|---|---|---|---|\n");
    for setting in TABLE {
        let Setting { name, variable, flag, kind, meaning, .. } = setting;
        let default = match setting.default {
            Some(default) => format!("`{default}`"),
            None => setting.without.to_owned(),
        };
        let _ = writeln!(text, "| `{name}` | {} | {default} | `{variable}` `--{flag}` | {meaning} |", kind.expected());
    }
    text.push_str("\n## A whole file\n\n```toml\n");
    text.push_str(EXAMPLE);
    text.push_str("```\n\n## In a container\n\n```sh\n");
    text.push_str(CONTAINER);
    text.push_str("```\n");
    text
}

/// Also read by a test: an example that the program refuses is worse than none.
pub(crate) const EXAMPLE: &str = r#"data = "/var/lib/handrail"
listen = "0.0.0.0:443"
base_url = "https://fhir.example.org/fhir"
allowed_hosts = ["fhir.internal"]
allowed_origins = ["https://app.example.org"]

[tls]
certificate = "/etc/handrail/fullchain.pem"
key = "/etc/handrail/key.pem"
ocsp_staple = "/etc/handrail/staple.der"
more_certificates = ["/etc/handrail/other.pem=/etc/handrail/other.key"]
hsts_include_subdomains = false
client_certificates = "optional"
client_anchors = ["/etc/handrail/clients-ca.pem"]
client_crls = ["/etc/handrail/clients-crl.pem"]

[mtls]
listen = "0.0.0.0:8444"
client_certificates = "required"
base_url = "https://fhir.example.org:8444/fhir"

[proxy]
addresses = ["10.2.0.0/24"]
client_certificate = "rfc9440"
client_certificate_header = "Client-Cert"

[audit]
durability = "interval"
staff_names = "shown"
disclosures = "outside"
protected_code = "board"
unusual_reads = 300
unusual_patients = 60
unusual_refusals = 20
export_directory = "/var/archive/handrail-audit"
syslog = "arr.example.org:6514"
syslog_ca = "/etc/handrail/arr-ca.pem"
syslog_certificate = "/etc/handrail/arr.pem"
syslog_key = "/etc/handrail/arr.key"
retention_days = 2557
retention_short = false

[policy]
file = "/etc/handrail/rules.policy"
four_eyes = false
shadow = "/etc/handrail/next.policy"

[labels]
rules = "/etc/handrail/labels.rules"

[egress]
allow_networks = ["10.1.0.0/16"]
ca = "/etc/handrail/internal-ca.pem"

[facility]
name = "Elm Grove Care Center"
website = "https://www.elmgrove.example.org"
logo = "https://www.elmgrove.example.org/logo.png"
contact = "it@elmgrove.example.org"
portal_name = "My Elm Grove"
portal_description = "For residents and those who care for them"
portal_url = "https://fhir.example.org/account/apps"
developers_url = "https://www.elmgrove.example.org/developers"

[openid]
issuer = "https://id.example.org"
client_id = "handrail"
client_secret_file = "/etc/handrail/openid-secret"
name = "Riverbend Health ID"

[glass]
minutes = 60
review_days = 3
keep_days = 2192
overrides_consent = false

[passwords]
breached = "/etc/handrail/pwned-passwords-sha1.txt"

[udap]
strict_community = false

[access]
clinicians = "related"
encounter_lookback = 30
payer_lookback = 365

[consent]
default = "all-normal"
combine = "deny-overrides"

[validation]
required_profiles = [
  "Observation=http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/pfe-observation-single",
]
unknown_profile = "error"
target_profiles = "warning"

[provenance]
record = "writes"

[signature]
anchors = ["/etc/handrail/signers-ca.pem"]
communities = true

[limits]
connections = 1024
requests_in_flight = 512

[metrics]
listen = "127.0.0.1:9464"

[log]
level = "info"
format = "json"
access = "problems"
"#;

const CONTAINER: &str = r"export HANDRAIL_DATA=/data HANDRAIL_LISTEN=0.0.0.0:8443
export HANDRAIL_BASE_URL=https://fhir.example.org/fhir
export HANDRAIL_TLS_CERTIFICATE=/run/secrets/tls.crt HANDRAIL_TLS_KEY=/run/secrets/tls.key
handrail config      # what will be in effect
handrail serve
";
