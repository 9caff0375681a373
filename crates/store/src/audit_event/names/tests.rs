//! What the name of an audit event tells (row F4).

use super::*;

#[test]
fn a_name_leads_back_to_its_event_in_its_own_store_alone() {
    let names = EventNames::new(b"a secret of a test");
    let mut seen = std::collections::HashSet::new();
    for sequence in [1, 2, 3, 255, 256, 1 << 40, u64::MAX] {
        for facet in Facet::ALL {
            let id = names.id(sequence, facet).unwrap();
            assert_eq!(id.as_str().len(), 32);
            assert_eq!(names.event(&id), Some((sequence, facet)));
            assert_eq!(EventNames::new(b"another").event(&id), None);
            assert!(seen.insert(id));
        }
    }
    for other in ["1", "0000000000000001", "00000000000000000000000000000001", "+0000000000000000000000000000001"] {
        let id = LogicalId::parse(other);
        assert_eq!(id.ok().and_then(|id| names.sequence(&id)), None, "{other}");
    }
    let upper = names.id(7, Facet::Itself).unwrap().as_str().to_uppercase();
    assert_eq!(LogicalId::parse(&upper).ok().and_then(|id| names.sequence(&id)), None, "one name for each event");
}
