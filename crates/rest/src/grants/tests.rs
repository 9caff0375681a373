//! What is kept, and that it is bounded.

use super::*;
use std::cell::Cell;

fn grants() -> Arc<Grants> {
    Arc::new(Grants::compile(&Caller::operator("test"), search::registry()))
}

/// What is in use stays, however many others come; there are never more than the limit.
#[test]
fn what_is_in_use_is_kept() {
    let shelf = Shelf::new(8);
    let (registry, one) = (search::registry(), grants());
    let compiled = Cell::new(0);
    let get = |key: u32| {
        shelf.get(key, registry, || {
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

/// Grants are written in the search parameters of their time.
#[test]
fn other_search_parameters_mean_other_grants() {
    let shelf = Shelf::new(8);
    let (first, second) = (search::registry(), Arc::new(Registry::new(fhir::schema::r4())));
    let compiled = Cell::new(0);
    for registry in [first, first, &second, &second, first] {
        shelf.get((), registry, || {
            compiled.set(compiled.get() + 1);
            grants()
        });
    }
    assert_eq!(compiled.get(), 3);
}
