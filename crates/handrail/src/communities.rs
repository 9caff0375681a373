//! The ends of our certificates and anchors in trust communities, and lists that nobody renews: watched, so that nobody
//! finds out by a partner who is refused. Row D9; issue 6, item 6.

use crate::{limits::COMMUNITY_WARN_DAYS, partner::moment};
use authserver::Service;
use fhir::Instant;
use std::collections::HashMap;

const DAY_S: i64 = 86_400;

/// Which ends the log was told of.
#[derive(Default)]
pub(crate) struct CommunityWatch {
    /// By community, the days that were left.
    warned: HashMap<String, i64>,
    /// The day on which it was last said that nobody tells of partners' certificates.
    said: Option<i64>,
}

impl CommunityWatch {
    /// Says of each community whose certificates end soon or have ended: once a day.
    pub(crate) fn look(&mut self, authserver: &Service, now: Instant) {
        let partners = authserver.udap_unanswered().len();
        let today = now.unix_seconds().div_euclid(DAY_S);
        if partners > 0 && self.said.replace(today) != Some(today) {
            tracing::warn!(
                partners,
                "nobody says whether the certificates of partners were revoked; they get no tokens"
            );
        }
        let communities = authserver.communities();
        self.warned.retain(|uri, _| communities.iter().any(|community| *community.uri == **uri));
        for community in communities {
            let ends_s = community.ends_s();
            if let Some(days) = self.due(&community.uri, ends_s, now.unix_seconds()) {
                let (community, ends) = (&*community.uri, moment(ends_s).to_string());
                if days < 0 {
                    tracing::error!(community, ends, "our certificate or the anchor of a trust community has ended");
                } else {
                    tracing::warn!(
                        community,
                        days,
                        ends,
                        "our certificate or the anchor of a trust community ends soon"
                    );
                }
            }
        }
    }

    /// Days left, when that is to be said now.
    fn due(&mut self, uri: &str, ends_s: i64, now_s: i64) -> Option<i64> {
        let days = (ends_s - now_s).div_euclid(DAY_S);
        if days >= COMMUNITY_WARN_DAYS {
            self.warned.remove(uri);
            return None;
        }
        (self.warned.insert(uri.to_owned(), days) != Some(days)).then_some(days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Issue 6: 30 days before the end, once a day, and again when a renewed certificate ends in its turn.
    #[test]
    fn ends_are_told_of_once_a_day() {
        let mut watch = CommunityWatch::default();
        let (ends_s, mut due) = (100 * DAY_S, |ends_s, now_s| watch.due("urn:a", ends_s, now_s));
        assert_eq!(due(ends_s, 69 * DAY_S), None);
        assert_eq!(due(ends_s, 70 * DAY_S + 1), Some(29));
        assert_eq!(due(ends_s, 70 * DAY_S + 3600), None, "it was said today");
        assert_eq!(due(ends_s, 71 * DAY_S + 1), Some(28));
        assert_eq!(due(200 * DAY_S, 71 * DAY_S + 1), None, "renewed");
        assert_eq!(due(200 * DAY_S, 200 * DAY_S + 1), Some(-1), "ended");
        assert_eq!(due(200 * DAY_S, 201 * DAY_S + 1), Some(-2), "each day anew");
    }
}
