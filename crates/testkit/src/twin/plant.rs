//! Planted leaks: does the proof find what it is there to find?
//!
//! The product has one permit for all roads and no way to forget it, so a leak is planted at the
//! server's door: on one road the caller's request goes in with scopes that are wider by just what
//! a faulty road would forget, or one fact of the answer to a wider caller is put into the answer.
//! What comes out is what a server with that fault would say. Nothing of it can reach the product.

use super::{ask::Plain, shape::TYPES, world::World};
use crate::Reply;
use serde_json::Value;
use store::limits;

/// The leaks, each named for the road that forgets: a leak that is there is planted.
macro_rules! plants {
    ($($plant:ident),* $(,)?) => {
        /// A leak.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the names say which road forgets")]
        pub enum Plant {
            $($plant,)*
        }

        /// All of them.
        pub const PLANTS: &[Plant] = &[$(Plant::$plant,)*];
    };
}

plants! {
    Read,
    Vread,
    SearchFilter,
    Total,
    Include,
    Revinclude,
    Chain,
    Has,
    SortOrder,
    DefaultOrder,
    Cursor,
    History,
    HistoryTotal,
    ConditionalCreate,
    Update,
    ConditionalUpdate,
    ConditionalDelete,
    TransactionCondition,
    ErrorText,
    ErrorHeader,
    Batch,
    AuditEvents,
    RequestId,
    CostOfHidden,
    Validate,
}

use Plant::*;

const ALL: &str = "system/*.cruds";

impl Plant {
    /// A refusal for cost that counts hidden rows: as the product has it, at a size that is in reach.
    pub(super) fn limit(self, search: &mut limits::Search) {
        if self == CostOfHidden {
            search.loads_max = 6;
        }
    }

    /// The answer of a server with this leak.
    pub(super) fn answer(self, world: &mut World, plain: &Plain) -> Reply {
        let kind = plain.kind().to_owned();
        let search = plain.search().filter(|_| kind != "AuditEvent");
        let history = plain.method == "GET" && plain.path.contains("/_history");
        let (vread, history) = (
            history && !plain.path.contains("/_history?") && !plain.path.ends_with("/_history"),
            history && (plain.path.contains("/_history?") || plain.path.ends_with("/_history")),
        );
        let read = matches!(plain.method, "GET" | "HEAD") && search.is_none() && !vread && !history;
        let searched = |with: &str| search.as_ref().is_some_and(|query| query.contains(with));
        // `:` may come encoded.
        let has = searched("_has%3A") || searched("_has:");
        let chained = search.as_ref().is_some_and(|query| {
            let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
            names.into_iter().any(|name| name.contains('.') && !name.starts_with("_has"))
        });
        let body = plain.body.as_ref().map_or("", |(_, body)| body);
        let others = || {
            let others = TYPES.iter().filter(|other| other.name() != kind);
            others.map(|other| format!("system/{}.s", other.name())).collect::<Vec<_>>().join(" ")
        };
        let more = match self {
            Read if read => ALL.to_owned(),
            Vread if vread => ALL.to_owned(),
            History if history => ALL.to_owned(),
            SearchFilter if search.is_some() => format!("system/{kind}.s"),
            Include if searched("_include=") || searched("_include%3A") => "system/*.r".to_owned(),
            Revinclude if searched("_revinclude=") => "system/*.r".to_owned(),
            Chain if chained => others(),
            Has if has => others(),
            ConditionalCreate if plain.has("if-none-exist") => format!("system/{kind}.s"),
            Update if plain.method == "PUT" => format!("system/{kind}.u"),
            ConditionalUpdate if plain.method == "PUT" && plain.has("if-match") => format!("system/{kind}.u"),
            ConditionalDelete if plain.method == "DELETE" && plain.has("if-match") => format!("system/{kind}.d"),
            TransactionCondition if body.contains("Patient?") || body.contains("ifNoneExist") => {
                "system/*.s".to_owned()
            }
            Validate if plain.path.contains("$validate") => "system/*.r".to_owned(),
            Batch if body.contains("\"batch\"") => ALL.to_owned(),
            AuditEvents if kind == "AuditEvent" => "system/AuditEvent.rs".to_owned(),
            _ => String::new(),
        };
        let mut reply = world.send(plain, &more);
        match self {
            Total if search.is_some() => with_total_of_all(world, plain, &mut reply),
            HistoryTotal if history => with_total_of_all(world, plain, &mut reply),
            SortOrder if searched("_sort=") => turned_by_hidden(world, plain, &mut reply),
            DefaultOrder if search.is_some() && !searched("_sort=") => turned_by_hidden(world, plain, &mut reply),
            Cursor if search.is_some() => {
                if let Some(hidden) = hidden(world, plain, &reply) {
                    change(&mut reply, |json| {
                        for link in json["link"].as_array_mut().into_iter().flatten() {
                            if let Some(url) = link["url"].as_str().filter(|url| url.contains("_cursor=")) {
                                link["url"] = format!("{url}-{hidden}").into();
                            }
                        }
                    });
                }
            }
            ErrorText if reply.status == 404 && there(world, plain) => {
                let text = String::from_utf8_lossy(&reply.body).replace("no such resource", "no such resource for you");
                reply.body = text.into_bytes().into();
            }
            ErrorHeader if reply.status == 404 && there(world, plain) => {
                reply.headers.push(("etag".to_owned(), "W/\"1\"".to_owned()));
            }
            RequestId => {
                let count = world.server.store().log().last().0;
                for (name, value) in &mut reply.headers {
                    if name == "x-request-id" {
                        *value = format!("request-{count}");
                    }
                }
            }
            _ => {}
        }
        reply
    }
}

/// What a caller who may do all is answered, when it is a Bundle.
fn of_all(world: &mut World, plain: &Plain) -> Option<Value> {
    let path = plain.path.split("_cursor=").next().unwrap_or_default().to_owned();
    let plain = Plain { path, ..plain.clone() };
    let reply = world.send(&plain, ALL);
    (reply.status == 200 && !reply.body.is_empty()).then(|| reply.json())
}

fn change(reply: &mut Reply, work: impl FnOnce(&mut Value)) {
    if reply.status == 200 && !reply.body.is_empty() {
        let mut json = reply.json();
        work(&mut json);
        reply.body = json.to_string().into_bytes().into();
    }
}

fn with_total_of_all(world: &mut World, plain: &Plain, reply: &mut Reply) {
    let Some(all) = of_all(world, plain) else { return };
    change(reply, |json| {
        if !json["total"].is_null() && !all["total"].is_null() {
            json["total"] = all["total"].clone();
        }
    });
}

/// How many matches of a search are hidden, when the answer is a page.
fn hidden(world: &mut World, plain: &Plain, reply: &Reply) -> Option<u64> {
    if reply.status != 200 || reply.body.is_empty() {
        return None;
    }
    let join = if plain.path.contains('?') { '&' } else { '?' };
    let path = plain.path.split("_cursor=").next().unwrap_or_default();
    let counted = Plain { path: format!("{path}{join}_total=accurate"), ..plain.clone() };
    let mut count = |more: &str| {
        let reply = world.send(&counted, more);
        if reply.status == 200 && !reply.body.is_empty() { reply.json()["total"].as_u64() } else { None }
    };
    Some(count(ALL)?.saturating_sub(count("")?))
}

/// The matches, turned by the number of hidden ones.
fn turned_by_hidden(world: &mut World, plain: &Plain, reply: &mut Reply) {
    let Some(hidden) = hidden(world, plain, reply) else { return };
    change(reply, |json| {
        let Some(entries) = json["entry"].as_array_mut() else { return };
        let matches = entries.iter().take_while(|entry| entry["search"]["mode"] == "match").count();
        if let Some(turn) = usize::try_from(hidden).ok().and_then(|hidden| hidden.checked_rem(matches)) {
            entries[..matches].rotate_left(turn);
        }
    });
}

/// Whether a caller who may do all would find something.
fn there(world: &mut World, plain: &Plain) -> bool {
    plain.method == "GET" && world.send(plain, ALL).status != 404
}
