//! URI values. A canonical with a version is a value with and without it, so that
//! `_profile=http://…/x` finds a resource that claims `http://…/x|1.0`. SPEC: R4 search.html#uri.

use crate::{index_key::without_version, index_value::IndexValue};
use fhirpath::Item;

pub(super) fn values(item: &Item<'_>, emit: &mut dyn FnMut(IndexValue)) {
    let Some(text) = item.to_text().filter(|text| !text.is_empty()) else { return };
    let plain = without_version(&text);
    if plain != text && item.type_name() == "canonical" {
        emit(IndexValue::Uri(plain.to_owned()));
    }
    emit(IndexValue::Uri(text.into_owned()));
}
