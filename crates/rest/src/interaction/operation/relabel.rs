//! `$meta-add` and `$meta-delete`: tags, profiles and security labels of one resource, by whoever has the authority for
//! its type. The only way in which a label is taken away or lowered, the operator's own writes aside (row F45).
//!
//! SPEC: R4 resource-operation-meta-add.html, resource-operation-meta-delete.html. A change makes a new version, since
//! labels decide who sees which version; no change makes none. Of two confidentialities the higher stays: to lower one,
//! delete it and add the lower. Labels that the resource's own elements need cannot be taken away. Left out: the
//! operations on past versions, `$meta`.

use super::{
    super::{
        Answer, Call, Proof, canonical,
        resource::{self, Checked},
        targets::Targets,
    },
    Inputs, missing,
};
use crate::{
    body::Content,
    failure::{Failure, Stopped},
    labels::{self, Write},
    limits,
    provenance::Noted,
    trail::Trail,
    wire::Reply,
};
use fhir::{
    LogicalId, ResourceType,
    issue::{Issue, IssueType},
    json::{Kind, Tree, Value, Writer},
};
use policy::label::{
    CONFIDENTIALITY,
    inline::Inline,
    set::{Completion, completed, is_mark, label_of, with_list},
};
use store::{Change, Transaction};

/// The members of Meta that are sets.
const SETS: [&str; 3] = ["profile", "security", "tag"];

/// Adds or deletes what the parameter `meta` names; the answer is the meta as it is then.
pub(in crate::interaction) async fn perform(
    call: &Call<'_>,
    kind: ResourceType,
    id: &LogicalId,
    adds: bool,
    content: Content,
    trail: &mut Trail,
) -> Result<Answer, Failure> {
    let body = match content {
        Content::Json(tree) => Some(tree),
        _ => None,
    };
    let inputs = Inputs::of(call, body.as_ref(), &["meta"])?;
    let wanted = inputs.whole("meta")?.ok_or_else(|| missing("meta", "the operation needs the parameter 'meta'"))?;
    of_sets(wanted.root())?;
    for _ in 0..limits::PLANS_MAX {
        let targets = Targets::new(call, None);
        let given = store::Labels::Given;
        let found = targets.snapshot().to_change(&call.permit, kind, id, given)?.ok_or(Failure::NotFound)?;
        let version = found.version;
        trail.found(&found);
        let before = canonical::tree(found).ok_or(Failure::Fault)?;
        let Some(after) = changed(&before, wanted.root(), adds)? else {
            return Ok(Answer::read(answer(&before)));
        };
        let (tree, _) = labels::completed(call, kind, after, Write::Given)?;
        let Checked { resource, .. } = resource::proven(call, kind, tree, &targets)?;
        let mut entry = trail.clone();
        entry.only(kind, id, None);
        let change = Change::Update {
            id: id.clone(),
            resource,
            if_match: Some(version),
            if_none_match_any: false,
            labels: given,
        };
        let noted = Noted::one(call, change, entry.done(), trail)?;
        let transaction = Transaction {
            changes: noted.changes,
            resolved: Vec::new(),
            audit: noted.audit,
            glasses: trail.glasses(),
            now: call.service.now(),
        };
        match call.service.parts.store.commit(transaction).await.map_err(Stopped::from) {
            Ok(committed) => {
                let (done, receipt) = committed.into_parts();
                let done = done.into_iter().next().ok_or(Failure::Fault)?;
                let reply = answer(&Tree::parse(done.bytes)?);
                return Ok(Answer { reply, proof: Proof::Recorded(receipt), missed: false });
            }
            // Somebody changed it meanwhile.
            Err(Stopped::Moved | Stopped::Exists(..) | Stopped::At(_, Failure::VersionMismatch(_))) => {}
            Err(Stopped::At(_, failure) | Stopped::Whole(failure)) => return Err(failure),
        }
    }
    Err(Failure::Conflict)
}

/// Refuses what the operations do not change.
fn of_sets(meta: Value<'_>) -> Result<(), Failure> {
    let wrong = |text: &'static str| {
        Failure::content(Issue::error(IssueType::Invalid, text).at("Parameters.parameter").on(meta.position()))
    };
    let mut any = false;
    for member in meta.members() {
        if !SETS.contains(&member.name()) {
            return Err(wrong("these operations change profile, security and tag of a meta, nothing else"));
        }
        any |= member.kind() == Kind::Array && member.items().next().is_some();
    }
    if any { Ok(()) } else { Err(wrong("the meta names no profile, security label or tag")) }
}

/// The resource with these sets changed; `None`: they are so already.
fn changed(before: &Tree, wanted: Value<'_>, adds: bool) -> Result<Option<Tree>, Failure> {
    let mut tree = before.clone();
    let mut any = false;
    for name in SETS {
        let Some(given) = wanted.get(name) else { continue };
        let (now, is_same) = {
            let has = tree.root().get("meta").and_then(|meta| meta.get(name));
            let has: Vec<Value<'_>> = has.into_iter().flat_map(Value::items).collect();
            let given: Vec<Value<'_>> = given.items().collect();
            let is_in = |one: &Value<'_>, list: &[Value<'_>]| list.iter().any(|other| same(name, *one, *other));
            let raw = |list: &mut dyn Iterator<Item = &Value<'_>>| -> Vec<Vec<u8>> {
                list.map(|one| one.raw().as_bytes().to_vec()).collect()
            };
            // What stands there for elements goes when they lose it; what is added is of the whole.
            let is_of_parts = |one: &Value<'_>| name == "security" && is_mark(*one);
            let mut now = raw(&mut has.iter().filter(|one| adds || is_of_parts(one) || !is_in(one, &given)));
            if adds {
                let of_whole: Vec<Value<'_>> = has.iter().copied().filter(|one| !is_of_parts(one)).collect();
                let new: Vec<&Value<'_>> = given.iter().filter(|one| !is_in(one, &of_whole)).collect();
                // Of confidentialities `completed` below lets the highest in.
                let is_level = |one: &Value<'_>| name == "security" && label_of(*one).system == CONFIDENTIALITY;
                now.extend(raw(&mut new.iter().copied().filter(|one| !is_level(one))));
            }
            let is_same = now.len() == has.len();
            (now, is_same)
        };
        if !is_same {
            any = true;
            tree = Tree::parse(with_list(&tree, name, &now))?;
        }
    }
    if adds && let Some(levels) = levels_of(wanted)? {
        let inline = Inline::of(&tree).unwrap_or_default();
        let completion = Completion { before: Some(levels.root()), inline: Some(&inline), ..Completion::default() };
        if let Some(bytes) = completed(&tree, completion) {
            any = true;
            tree = Tree::parse(bytes)?;
        }
    }
    Ok(any.then_some(tree))
}

/// The confidentialities that are to be added, as labels of something.
fn levels_of(wanted: Value<'_>) -> Result<Option<Tree>, Failure> {
    let given: Vec<Value<'_>> = wanted.get("security").into_iter().flat_map(Value::items).collect();
    let levels: Vec<&Value<'_>> = given.iter().filter(|one| label_of(**one).system == CONFIDENTIALITY).collect();
    if levels.is_empty() {
        return Ok(None);
    }
    let mut w = Writer::new();
    w.object(|w| {
        w.key("meta");
        w.object(|w| {
            w.key("security");
            w.array(|w| levels.iter().for_each(|level| w.raw(level.raw().as_bytes())));
        });
    });
    Ok(Some(Tree::parse(w.into_bytes())?))
}

/// Profiles are equal as URLs, the others by system and code.
fn same(name: &str, one: Value<'_>, other: Value<'_>) -> bool {
    if name == "profile" { one.as_str() == other.as_str() } else { label_of(one) == label_of(other) }
}

/// `return`: the meta.
fn answer(resource: &Tree) -> Reply {
    let mut w = Writer::new();
    w.object(|w| {
        w.member("resourceType", "Parameters");
        w.key("parameter");
        w.array(|w| {
            w.object(|w| {
                w.member("name", "return");
                w.key("valueMeta");
                match resource.root().get("meta") {
                    Some(meta) => w.raw(meta.raw().as_bytes()),
                    None => w.object(|_| {}),
                }
            });
        });
    });
    Reply::document(w.into_bytes())
}
