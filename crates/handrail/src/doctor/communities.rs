//! The trust communities of a running server: until when our certificates and anchors in them count, and whether their
//! lists can be had. Issue 6, item 6.

use super::Line;
use crate::{
    control::{self, ListedCommunity, Order, Reply},
    partner,
    print::many,
};
use std::path::Path;

const SUBJECT: &str = "communities";

/// What a running server says of its communities; nothing when it is a member of none.
pub(crate) async fn asked(directory: &Path, now_s: i64) -> Vec<Line> {
    match control::ask(directory, &Order::ListCommunities).await {
        Ok(Some(Reply::Communities(communities))) => communities.iter().flat_map(|one| lines(one, now_s)).collect(),
        _ => Vec::new(),
    }
}

fn lines(community: &ListedCommunity, now_s: i64) -> Vec<Line> {
    const ADVICE: &str =
        "get a new certificate or anchor from the community, then 'handrail udap community add … --replace'";
    let mut lines = vec![partner::life(SUBJECT, &community.uri, community.ends_s, now_s, ADVICE)];
    if community.unanswered > 0 {
        let found = format!(
            "{}: of {} nobody says whether its certificate was revoked",
            community.uri,
            many(community.unanswered, "partner")
        );
        let advice = "its revocation lists have ended or their host does not answer: 'handrail udap registrations' says \
                      whose, 'handrail udap check' which address; within your own network egress.allow_networks";
        lines.push(Line::warning(SUBJECT, found, advice));
    }
    lines
}
