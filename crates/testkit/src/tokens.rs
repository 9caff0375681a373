//! Access tokens of any scope, without an authorization server.

use crate::Clock;
use oauth::{
    bearer::{DpopFacts, LiveTokens, ProofRefused, ShownProof},
    caller::{Acting, Confirmation, Grant, Role, Standing, User},
    dpop::{self, Expected, Nonces},
    launch_context::LaunchContext,
    scope::{Scope, parse_list},
    udap::{b2b::B2b, purpose::Purpose},
};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

/// Seconds that a token lives.
const LIFE_S: i64 = 300;

/// A person with an account.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    /// `sub`.
    pub id: &'static str,
    /// Their name.
    pub name: &'static str,
    /// Their role.
    pub role: Role,
    /// The resource that stands for them.
    pub fhir_user: Option<&'static str>,
    /// Logical ids of the patients that the account is bound to.
    pub patients: &'static [&'static str],
}

/// Live tokens.
#[derive(Clone)]
pub struct Tokens {
    clock: Clock,
    grants: Arc<Mutex<HashMap<String, Arc<Grant>>>>,
    made: Arc<AtomicU64>,
    proofs: Arc<Mutex<HashSet<[u8; 32]>>>,
    signed_in_s: Arc<Mutex<Option<i64>>>,
}

impl Tokens {
    /// No tokens yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            grants: Arc::default(),
            made: Arc::default(),
            proofs: Arc::default(),
            signed_in_s: Arc::default(),
        }
    }

    /// A token with these scopes, of the client `test-client`.
    ///
    /// # Panics
    /// On a scope that is not in the grammar.
    #[must_use]
    pub fn token_for(&self, scope: &str) -> String {
        self.token_of("test-client", scope)
    }

    /// A token with these scopes, of this client.
    ///
    /// # Panics
    /// On a scope that is not in the grammar.
    #[must_use]
    pub fn token_of(&self, client_id: &str, scope: &str) -> String {
        let scopes: Vec<Scope> = parse_list(scope).map(|(_, parsed)| parsed.expect("a SMART scope")).collect();
        let now_s = self.clock.now().unix_seconds();
        let number = self.made.fetch_add(1, Ordering::SeqCst) + 1;
        let token = format!("test-token-{number}");
        let grant = Grant {
            client_id: client_id.into(),
            client_name: "A client of a test".into(),
            scopes: scopes.into(),
            scope_text: scope.into(),
            issued_at_s: now_s,
            expires_at_s: now_s + LIFE_S,
            token_name: format!("{number:016x}").into(),
            user: None,
            launch: Arc::default(),
            confirmation: None,
            family: None,
            acting: None,
            standing: Standing::Custodian,
            purposes: Arc::default(),
        };
        self.grants.lock().unwrap().insert(token.clone(), Arc::new(grant));
        token
    }

    /// A token with these scopes, of a system that is not the facility's own: consents bind it. Those of
    /// [`Tokens::token_for`] are the facility's own record system.
    ///
    /// # Panics
    /// On a scope that is not in the grammar.
    #[must_use]
    pub fn token_of_partner(&self, scope: &str) -> String {
        self.token_of_standing("test-partner", scope, Standing::Ordinary)
    }

    /// A token of a system that stands so to the records.
    ///
    /// # Panics
    /// On a scope that is not in the grammar.
    #[must_use]
    pub fn token_of_standing(&self, client_id: &str, scope: &str, standing: Standing) -> String {
        let token = self.token_of(client_id, scope);
        let mut grants = self.grants.lock().unwrap();
        let grant = Grant { standing, ..Grant::clone(&grants[&token]) };
        grants.insert(token.clone(), Arc::new(grant));
        token
    }

    /// Registers the client of a token for these purposes of use.
    ///
    /// # Panics
    /// When there is no such token, or a code is no purpose.
    pub fn set_purposes(&self, token: &str, purposes: &[&str]) {
        let purposes = purposes.iter().map(|code| Purpose::parse(code).expect("a purpose of use")).collect();
        let mut grants = self.grants.lock().unwrap();
        let grant = Grant { purposes, ..Grant::clone(&grants[token]) };
        grants.insert(token.to_owned(), Arc::new(grant));
    }

    /// A token of an app with these scopes, for a person: `patient` is in context.
    ///
    /// # Panics
    /// On a scope that has a slash and is not in the grammar.
    #[must_use]
    pub fn token_of_person(&self, person: &Person, patient: Option<&str>, scope: &str) -> String {
        let user = User {
            id: person.id.into(),
            name: person.name.into(),
            role: person.role,
            fhir_user: person.fhir_user.map(Into::into),
            patients: person.patients.iter().map(|id| Arc::from(*id)).collect(),
            glasses: Arc::default(),
            may_break_glass: false,
        };
        self.token_of_user(user, patient, scope)
    }

    /// The same for a person with all that the server knows of them.
    ///
    /// # Panics
    /// On a scope that has a slash and is not in the grammar.
    #[must_use]
    pub fn token_of_user(&self, user: User, patient: Option<&str>, scope: &str) -> String {
        let is_of_resources = |word: &&str| word.contains('/') && !word.starts_with("launch/");
        let token = self.token_of("test-app", &scope.split(' ').filter(is_of_resources).collect::<Vec<_>>().join(" "));
        let mut grants = self.grants.lock().unwrap();
        let grant = Grant {
            scope_text: scope.into(),
            user: Some(Arc::new(user)),
            standing: Standing::Ordinary,
            launch: Arc::new(LaunchContext { patient: patient.map(Into::into), ..LaunchContext::default() }),
            ..Grant::clone(&grants[&token])
        };
        grants.insert(token.clone(), Arc::new(grant));
        token
    }

    /// A token of a system that came by UDAP, for an organization and its purposes of use: `Organization/1` stands
    /// for it here, `None`: nothing does.
    ///
    /// # Panics
    /// On a scope that is not in the grammar, or a code that is no purpose.
    #[must_use]
    pub fn token_of_organization(&self, organization: Option<&str>, purposes: &[&str], scope: &str) -> String {
        let b2b = B2b {
            organization_id: "https://partner.test".into(),
            organization_name: Some("A partner".into()),
            purposes: purposes.iter().map(|code| Purpose::parse(code).expect("a purpose of use")).collect(),
            subject_name: Some("Nightly review".into()),
            subject_id: None,
            subject_role: None,
            consent_policy: Vec::new(),
            consent_reference: Vec::new(),
        };
        let acting = Acting {
            community: "https://community.test".into(),
            uri: "https://partner.test".into(),
            b2b,
            organization: organization.map(Into::into),
        };
        let token = self.token_of("test-partner", scope);
        let mut grants = self.grants.lock().unwrap();
        let grant =
            Grant { acting: Some(Arc::new(acting)), standing: Standing::Ordinary, ..Grant::clone(&grants[&token]) };
        grants.insert(token.clone(), Arc::new(grant));
        token
    }

    /// Binds a token to a key.
    ///
    /// # Panics
    /// When there is no such token.
    pub fn bind(&self, token: &str, confirmation: Confirmation) {
        let mut grants = self.grants.lock().unwrap();
        let grant = Grant { confirmation: Some(confirmation), ..Grant::clone(&grants[token]) };
        grants.insert(token.to_owned(), Arc::new(grant));
    }

    /// Ends a token.
    ///
    /// # Panics
    /// When a test panicked while it held the table.
    pub fn revoke(&self, token: &str) {
        self.grants.lock().unwrap().remove(token);
    }
}

impl Tokens {
    /// All people signed in at this second, as far as anybody knows.
    ///
    /// # Panics
    /// When a test panicked while it held it.
    pub fn signed_in_at(&self, at_s: i64) {
        *self.signed_in_s.lock().unwrap() = Some(at_s);
    }
}

impl LiveTokens for Tokens {
    fn signed_in_s(&self, grant: &Grant) -> Option<i64> {
        grant.user.as_ref().and_then(|_| *self.signed_in_s.lock().unwrap())
    }

    fn grant(&self, token: &str) -> Option<Arc<Grant>> {
        self.grants.lock().unwrap().get(token).cloned()
    }

    /// As a real server: a proof counts once, and needs a nonce.
    fn proven(&self, proof: &ShownProof<'_>) -> Result<DpopFacts, ProofRefused> {
        let now_s = self.clock.now().unix_seconds();
        let nonces = Nonces::new(&[7; 32]);
        let expected = Expected {
            method: proof.method,
            url: proof.url,
            access_token: Some(proof.access_token),
            nonces: &nonces,
            requires_nonce: true,
            now_s,
        };
        let checked = dpop::check(proof.header, &expected)
            .map_err(|why| ProofRefused { nonce: why.wants_nonce().then(|| nonces.current(now_s)) })?;
        let is_first = self.proofs.lock().unwrap().insert(*checked.replay_key());
        if is_first { Ok(checked.facts()) } else { Err(ProofRefused { nonce: None }) }
    }
}
