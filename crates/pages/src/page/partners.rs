//! Trust communities and the organizations that joined by them (UDAP), for the facility's administrator. SPEC: rows D18,
//! D19; issue 6, item 6.
//!
//! An organization joins by itself: here it is seen, let in where the community wants that, and shown out. What makes it
//! trusted is its certificate, so the page says when that stopped being so.

use crate::{
    Date, Literal, Place, Secret, Text, fields,
    html::{Address, Element, Fragment, el},
    parts::{self, Tone, actions, deciding, fill_plain, hint, primary},
    paths,
    render::{Context, Render},
    texts::Texts,
};

/// All communities, and who joined by each.
#[derive(Clone, Debug)]
pub struct Partners {
    /// Form token.
    pub csrf: Secret,
    /// In the order in which they were added: the first one is the default.
    pub communities: Vec<CommunityFacts>,
}

/// A trust community.
#[derive(Clone, Debug)]
pub struct CommunityFacts {
    /// Its name.
    pub name: Text,
    /// Its URI.
    pub uri: Literal,
    /// When this server's own certificate in it ends.
    pub ends: Date,
    /// What that day means.
    pub life: CertificateLife,
    /// Who joined, newest first; at most [`crate::limits::ROWS_MAX`].
    pub partners: Vec<PartnerFacts>,
}

/// How long a certificate still counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateLife {
    /// Long.
    Long,
    /// It ends within days: somebody has to act.
    EndsSoon,
    /// It has ended.
    Ended,
}

/// An organization that joined.
#[derive(Clone, Debug)]
pub struct PartnerFacts {
    /// Its client id.
    pub id: Literal,
    /// What it calls its software.
    pub name: Text,
    /// The address that its certificate proves.
    pub uri: Literal,
    /// Since when.
    pub since: Date,
    /// People sign in to it; else it asks by itself.
    pub is_app: bool,
    /// How it stands.
    pub state: PartnerState,
}

/// How an organization stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartnerState {
    /// It may ask.
    Works,
    /// It asked to join, and somebody here must say yes.
    Waits,
    /// Its certificate, or one above it, was revoked.
    Revoked,
    /// Its certificate has ended.
    Ended,
    /// Its certificate does not hold here any more, for another reason.
    Unfit,
    /// Somebody here stopped it.
    Stopped,
}

impl PartnerState {
    const fn words(self, t: &Texts) -> &'static str {
        match self {
            Self::Works => t.partner_works,
            Self::Waits => t.partner_waits,
            Self::Revoked => t.partner_revoked,
            Self::Ended => t.partner_ended,
            Self::Unfit => t.partner_unfit,
            Self::Stopped => t.partner_stopped,
        }
    }
}

impl Partners {
    fn partner(&self, partner: &PartnerFacts, t: &Texts) -> Element {
        let is_well = partner.state == PartnerState::Works;
        let state = el("span").class(if is_well { "line" } else { "line warning" }).add(partner.state.words(t));
        let kind = if partner.is_app { t.partner_app } else { t.partner_system };
        let since = fill_plain(t.partner_since, &[("date", &t.date(partner.since))]);
        let words = el("div")
            .class("label")
            .add(el("span").class("name").add(&partner.name))
            .add(el("span").class("line").add(el("code").add(&partner.uri)))
            .add(el("span").class("line").add(format!("{kind} {since}")))
            .add(state);
        let approve =
            (partner.state == PartnerState::Waits).then(|| deciding(primary(t.partner_approve), fields::APPROVE));
        let cancel = deciding(el("button").class("danger").add(t.partner_cancel), fields::CANCEL);
        let form = parts::form(paths::PARTNERS, &self.csrf)
            .add(parts::hidden(fields::CLIENT, partner.id.as_str()))
            .add(actions(Fragment::all([Fragment::from(approve), cancel.into()])));
        el("li").class("entry").add(words).add(form)
    }

    fn community(&self, at: usize, community: &CommunityFacts, t: &Texts) -> Element {
        let id = format!("community-{at}");
        let ends = t.date(community.ends);
        let life = match community.life {
            CertificateLife::Long => Fragment::from(hint(fill_plain(t.partners_ends, &[("date", &ends)]))),
            CertificateLife::EndsSoon => {
                let words = fill_plain(t.partners_ends_soon, &[("date", &ends)]);
                parts::notice(Tone::Attention, el("p").add(words), t).into()
            }
            CertificateLife::Ended => {
                let words = fill_plain(t.partners_ended, &[("date", &ends)]);
                parts::notice(Tone::Attention, el("p").add(words), t).into()
            }
        };
        let list = if community.partners.is_empty() {
            el("p").add(t.partners_nobody)
        } else {
            let rows = community.partners.iter().map(|partner| self.partner(partner, t));
            el("ul").class("entries").add(Fragment::all(rows))
        };
        el("section")
            .attr("aria-labelledby", &id)
            .class("part")
            .add(el("h2").id(&id).add(&community.name))
            .add(hint(el("code").add(&community.uri)))
            .add(life)
            .add(list)
    }
}

impl Render for Partners {
    fn title(&self, cx: Context<'_>) -> String {
        cx.t.partners_title.to_owned()
    }

    fn here(&self) -> Address {
        Address::of(paths::PARTNERS)
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Partners)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        if self.communities.is_empty() {
            return parts::lead(t.partners_none).into();
        }
        let has_partners = self.communities.iter().any(|community| !community.partners.is_empty());
        let communities = self.communities.iter().enumerate().map(|(at, one)| self.community(at, one, t));
        Fragment::all([
            Fragment::from(parts::lead(t.partners_lead)),
            Fragment::all(communities),
            has_partners.then(|| hint(t.partner_cancel_hint)).into(),
        ])
    }
}
