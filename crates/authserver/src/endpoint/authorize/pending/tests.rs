//! Tests of `pending`: what waits is bounded, for each address and all in all. Row F66.

use super::*;
use oauth::{
    authorization_request::{ClientRules, Unchecked, Way},
    fapi2::Profile,
    pkce::Challenge,
    redirect_uri::{ApplicationType, RedirectUri},
};

fn waiting(began_s: i64) -> Waiting {
    let uri = RedirectUri::register("https://app.example/cb", ApplicationType::Web).unwrap();
    let challenge = Challenge::of("a-verifier-that-is-long-enough-for-anybody-0123456789").as_parameter();
    let query = format!(
        "response_type=code&client_id=a&redirect_uri=https://app.example/cb&scope=openid&state=s&aud=https://care.example/fhir\
         &code_challenge={challenge}&code_challenge_method=S256"
    );
    let redirect_uris = [uri];
    let rules = ClientRules {
        redirect_uris: &redirect_uris,
        may_use_codes: true,
        requires_pushed: false,
        profile: Profile::Smart,
        udap: None,
    };
    let unchecked = Unchecked::parse(query.as_bytes()).unwrap();
    let request = unchecked.check(&rules, Way::Browser, "https://care.example/fhir").unwrap();
    Waiting::new(request, false, began_s)
}

#[test]
fn f66_who_asks_without_end_pushes_out_nobody_else() {
    let pending = Pending::default();
    let somebody = pending.put(waiting(0), 600, 1).unwrap();
    let large = 60 * 1024;
    let mut last = String::new();
    for turn in 0..1000 {
        last = pending.put(waiting(turn), large, 2).unwrap();
    }
    assert!(pending.request(&somebody, 1000).is_some(), "of another address");
    assert!(pending.request(&last, 1000).is_some());
    let state = pending.state();
    assert!(state.addresses[&2].bytes <= limits::PENDING_ADDRESS_BYTES_MAX);
    assert_eq!(state.held.len(), state.order.len());
    assert_eq!(state.bytes, state.addresses.values().map(|own| own.bytes).sum::<usize>());
}

#[test]
fn all_in_all_the_oldest_gives_way_and_what_is_late_is_forgotten() {
    let pending = Pending::default();
    let oldest = pending.put(waiting(0), 600, 0).unwrap();
    for address in 1..400_u32 {
        pending.put(waiting(i64::from(address)), 60 * 1024, address.into()).unwrap();
    }
    assert!(pending.request(&oldest, 400).is_none());
    assert!(pending.state().bytes <= limits::PENDING_BYTES_MAX);
    pending.sweep(limits::PENDING_LIFE_S + 400);
    let state = pending.state();
    assert!(state.held.is_empty() && state.order.is_empty() && state.addresses.is_empty());
    assert_eq!(state.bytes, 0);
}
