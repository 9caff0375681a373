//! The trust communities of a running server: until when our certificates and anchors in them count. Issue 6, item 6.

use super::Line;
use crate::{
    control::{self, ListedCommunity, Order, Reply},
    partner,
};
use std::path::Path;

const SUBJECT: &str = "communities";

/// What a running server says of its communities; nothing when it is a member of none.
pub(crate) async fn asked(directory: &Path, now_s: i64) -> Vec<Line> {
    match control::ask(directory, &Order::ListCommunities).await {
        Ok(Some(Reply::Communities(communities))) => communities.iter().map(|one| line(one, now_s)).collect(),
        _ => Vec::new(),
    }
}

fn line(community: &ListedCommunity, now_s: i64) -> Line {
    const ADVICE: &str =
        "get a new certificate or anchor from the community, then 'handrail udap community add … --replace'";
    partner::life(SUBJECT, &community.uri, community.ends_s, now_s, ADVICE)
}
