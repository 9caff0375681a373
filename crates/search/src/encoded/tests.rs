//! What is encoded comes back; what was not encoded here does no harm.

use super::{EncodedValues, MarkedValues, decode, encode};
use crate::{IndexValue, IndexValues, ParameterId, Values, compare, testing};
use proptest::prelude::*;

proptest! {
    #[test]
    fn decode_is_the_inverse_of_encode(values in testing::values()) {
        prop_assert_eq!(decode(&encode(&values)), Some(values));
    }

    #[test]
    fn encoded_values_answer_as_decoded_ones(values in testing::values(), test in testing::test(), parameter in 0u16..5) {
        let bytes = encode(&values);
        let (encoded, parameter) = (EncodedValues::new(&bytes), ParameterId(parameter));
        prop_assert_eq!(encoded.has(parameter), values.has(parameter));
        prop_assert_eq!(
            encoded.any(parameter, &mut |value| compare::passes(&test, value)),
            values.any(parameter, &mut |value| compare::passes(&test, value))
        );
        prop_assert_eq!(encoded.iter().count(), values.0.len());
        let marked = MarkedValues::new(&bytes);
        for _ in 0..3 {
            prop_assert_eq!(marked.has(parameter), values.has(parameter));
            prop_assert_eq!(
                marked.any(parameter, &mut |value| compare::passes(&test, value)),
                values.any(parameter, &mut |value| compare::passes(&test, value))
            );
        }
    }

    #[test]
    fn damaged_bytes_do_not_panic(values in testing::values(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encode(&values);
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = decode(&bytes);
        let encoded = EncodedValues::new(&bytes);
        for (_, value) in encoded.iter() {
            crate::index_key::keys(value, &mut |_| {});
        }
    }

    #[test]
    fn any_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = decode(&bytes);
        let _ = EncodedValues::new(&bytes).has(ParameterId(1));
        let marked = MarkedValues::new(&bytes);
        let _ = (0..4).any(|_| marked.has(ParameterId(1)));
    }
}

/// The format is on disks: these bytes may only change together with the registry's form number.
#[test]
fn the_format_is_as_documented() {
    let value = IndexValue::Token { system: Some("s".into()), code: "c".into(), text: None };
    let bytes = encode(&IndexValues(vec![(ParameterId(258), value)]));
    assert_eq!(bytes, [1, 2, 6, 1, 1, 1, b'c', 1, b's']);
}
