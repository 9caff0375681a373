//! What is kept, and that it is bounded.

use super::*;
use std::cell::Cell;

fn grants() -> Arc<Grants> {
    Arc::new(Grants::compile(&Caller::operator("test"), search::registry(), &House::default()))
}

fn given(registry: &Arc<Registry>, house: &Arc<House>) -> Given {
    Given { registry: Arc::clone(registry), house: Arc::clone(house) }
}

/// What is in use stays, however many others come; there are never more than the limit.
#[test]
fn what_is_in_use_is_kept() {
    let shelf = Shelf::new(8);
    let (given, one) = (given(search::registry(), &Arc::default()), grants());
    let compiled = Cell::new(0);
    let get = |key: u32| {
        shelf.get(key, &given, || {
            compiled.set(compiled.get() + 1);
            Arc::clone(&one)
        })
    };
    get(0);
    for other in 1..100 {
        get(other);
        let before = compiled.get();
        get(0);
        assert_eq!(compiled.get(), before, "it was asked for a moment ago");
        assert!(shelf.len() <= 8);
    }
    let before = compiled.get();
    get(1);
    assert_eq!(compiled.get(), before + 1, "long forgotten");
}

/// Grants are written in the search parameters of their time, under what the facility had decided.
#[test]
fn other_search_parameters_and_decisions_mean_other_grants() {
    let shelf = Shelf::new(8);
    let (first, second) = (search::registry(), Arc::new(Registry::new(fhir::schema::r4())));
    let (house, other) = (Arc::<House>::default(), Arc::<House>::default());
    let compiled = Cell::new(0);
    for (registry, house) in
        [(first, &house), (first, &house), (&second, &house), (&second, &house), (first, &house), (first, &other)]
    {
        shelf.get((), &given(registry, house), || {
            compiled.set(compiled.get() + 1);
            grants()
        });
    }
    assert_eq!(compiled.get(), 4);
}

/// Who came before is known by the token, and only for what that request was for, in this house.
#[test]
fn who_came_before_is_known_by_token_and_purpose() {
    let cache = GrantCache::default();
    let (house, other) = (Arc::<House>::default(), Arc::<House>::default());
    let (first, second) = (given(search::registry(), &house), given(search::registry(), &other));
    let caller = Caller::operator_within("test", "system/*.rs").unwrap();
    let _token = Arc::clone(caller.grant());
    let grants = cache.of(&caller, &first);
    assert!(Arc::ptr_eq(&grants, &cache.of(&caller, &first)));
    assert!(Arc::ptr_eq(&grants, &cache.of(&caller.clone(), &first)));
    let passing = Caller::operator_within("test", "system/*.rs").unwrap();
    assert!(Arc::ptr_eq(&grants, &cache.of(&passing, &first)));
    assert_eq!(
        cache.seen.read().unwrap().of.len(),
        1,
        "nobody else has the token of one that was made for one request"
    );
    let narrowed = Caller::at_page_breaking_glass(&user(), "p1", "user/*.rs").unwrap();
    let broken = cache.of(&narrowed, &first);
    assert!(!Arc::ptr_eq(&grants, &broken));
    assert!(!Arc::ptr_eq(&grants, &cache.of(&caller, &second)), "another house");
    assert_eq!(cache.seen.read().unwrap().of.len(), 1, "what was of the other one is gone");
    for n in 0..limits::CALLERS_SEEN_MAX + 10 {
        let caller = Caller::operator_within(&n.to_string(), "system/*.rs").unwrap();
        let _token = Arc::clone(caller.grant());
        cache.of(&caller, &first);
        assert!(cache.seen.read().unwrap().of.len() <= limits::CALLERS_SEEN_MAX);
    }
}

fn user() -> oauth::caller::User {
    oauth::caller::User {
        id: "u1".into(),
        name: "Ada".into(),
        role: oauth::caller::Role::Clinician,
        fhir_user: None,
        patients: Arc::default(),
        glasses: Arc::default(),
        may_break_glass: true,
    }
}
