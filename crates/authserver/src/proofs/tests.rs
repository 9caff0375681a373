//! Tests of `proofs`: each once, with a nonce of this process.

use super::{ProofRefusal, Proofs};
use crate::testing::{KEY, NOW_S, TOKEN};
use oauth::dpop::signed;

#[test]
fn a_proof_counts_once_and_with_a_nonce() {
    let proofs = Proofs::new().unwrap();
    let take = |proof: &str, now_s: i64| proofs.take(proof, "POST", TOKEN, None, now_s);
    let without = signed(&KEY, "POST", TOKEN, "a", NOW_S, None, None).unwrap();
    assert!(take(&without, NOW_S).unwrap_err().wants_nonce());
    let nonce = proofs.nonce(NOW_S);
    let proof = |jti: &str| signed(&KEY, "POST", TOKEN, jti, NOW_S, None, Some(&nonce)).unwrap();
    assert!(take(&proof("a"), NOW_S).is_ok());
    assert!(matches!(take(&proof("a"), NOW_S + 1), Err(ProofRefusal::Replayed)));
    assert!(take(&proof("b"), NOW_S).is_ok());
    // After a restart an old proof is refused for its nonce.
    let restarted = Proofs::new().unwrap();
    assert!(restarted.take(&proof("a"), "POST", TOKEN, None, NOW_S).unwrap_err().wants_nonce());
    // What is too old to be replayed is forgotten.
    let later = NOW_S + 600;
    let nonce = proofs.nonce(later);
    assert!(take(&signed(&KEY, "POST", TOKEN, "c", later, None, Some(&nonce)).unwrap(), later).is_ok());
    assert_eq!(proofs.seen.lock().unwrap().keys.len(), 1);
    assert!(matches!(take(&proof("a"), later), Err(ProofRefusal::Proof(_))));
}
