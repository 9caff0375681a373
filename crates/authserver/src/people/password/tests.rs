//! Tests of `password`.

use super::*;

fn password(text: &str) -> Password {
    Password::typed(text).unwrap()
}

#[test]
fn a_hash_is_of_its_password_alone_and_survives_its_row() {
    let hash = PasswordHash::new(&password("a fine long walk")).unwrap();
    let kept = PasswordHash::decode(&hash.encode()).unwrap();
    assert!(kept.is_of(&password("a fine long walk")));
    assert!(!kept.is_of(&password("a fine long walk ")));
    assert!(!kept.is_of_old());
    assert!(hash.encode().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_ne!(PasswordHash::new(&password("a fine long walk")).unwrap().encode(), hash.encode(), "salted");
    for broken in ["", "$argon2id$v=19$m=1,t=1$AAAA$AAAA", "$argon2i$v=19$m=1,t=1,p=1$AAAA$AAAA"] {
        assert!(PasswordHash::decode(broken).is_none(), "{broken}");
    }
}

#[test]
fn what_older_parameters_made_still_works_and_is_told() {
    let cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
    let salt = [7; 16];
    let old = PasswordHash { cost, salt, output: cost.run(&password("a fine long walk"), &salt).unwrap() };
    let old = PasswordHash::decode(&old.encode()).unwrap();
    assert!(old.is_of_old() && old.is_of(&password("a fine long walk")) && !old.is_of(&password("another")));
}

/// SPEC: NIST SP 800-63B-4: normalised, so that the same letters are the same password on every keyboard.
#[test]
fn an_accent_is_the_same_however_it_is_typed() {
    let hash = PasswordHash::new(&password("ma\u{f1}ana de abril")).unwrap();
    assert!(hash.is_of(&password("man\u{303}ana de abril")));
}

#[test]
fn a_password_over_the_limit_is_none() {
    assert!(Password::typed(&"a".repeat(limits::PASSWORD_BYTES_MAX)).is_some());
    assert!(Password::typed(&"a".repeat(limits::PASSWORD_BYTES_MAX + 1)).is_none());
}

/// Row F66: what cannot be hashed soon is refused at once, and those who wait are not forgotten.
#[tokio::test]
async fn only_so_many_wait() {
    let hasher = Arc::new(Hasher::new());
    let all = u32::try_from(hasher.running.available_permits()).unwrap();
    let held = Arc::clone(&hasher.running).acquire_many_owned(all).await.unwrap();
    let mut waiting = Vec::new();
    for _ in 0..limits::HASHES_WAITING_MAX {
        let hasher = Arc::clone(&hasher);
        waiting.push(tokio::spawn(async move { hasher.run(|| 1).await }));
    }
    while hasher.waiting.load(Ordering::Relaxed) < limits::HASHES_WAITING_MAX {
        tokio::task::yield_now().await;
    }
    assert_eq!(hasher.run(|| 1).await, Err(Busy));
    drop(held);
    for one in waiting {
        assert_eq!(one.await.unwrap(), Ok(1));
    }
    assert_eq!(hasher.run(|| 1).await, Ok(1));
}

/// Row B26: nobody is nobody, and costs what somebody costs (the same function with the same parameters).
#[tokio::test]
async fn nobody_has_a_password() {
    let hasher = Hasher::new();
    assert!(hasher.nobody.cost == COST);
    assert_eq!(hasher.verify(None, password("anything at all")).await, Ok(false));
}
