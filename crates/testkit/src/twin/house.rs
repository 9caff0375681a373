//! An organization that came by UDAP as the caller of twin worlds: who its members are stands fast in both worlds; what
//! is near to making others members differs between them.

use super::{
    dice::Dice,
    shape::{Shape, Type},
};
use serde_json::{Value, json};

/// The organization that calls.
#[derive(Debug, Clone)]
pub(super) struct House {
    /// Its purpose of use.
    pub(super) purpose: &'static str,
    /// Patients whom it pays for or treats.
    members: Vec<String>,
    /// In the first world and in the second: what relates others to others, or nearly to it.
    misses: [Vec<Value>; 2],
}

impl House {
    pub(super) fn roll(dice: &mut Dice) -> Self {
        let purpose = dice.word(&["TREAT", "TREAT", "HPAYMT"]);
        let first = dice.below(4);
        let members: Vec<usize> = (0..1 + dice.below(2)).map(|next| (first + next) % 4).collect();
        let others: Vec<usize> = (0..4).filter(|at| !members.contains(at)).collect();
        let misses = [0, 1].map(|_| {
            let some = others.iter().filter(|_| dice.chance(70)).collect::<Vec<_>>();
            some.into_iter().map(|at| miss(dice, &Type::Patient.id(*at))).collect()
        });
        Self { purpose, members: members.into_iter().map(|at| Type::Patient.id(at)).collect(), misses }
    }

    /// Whether what it is allowed beside its scopes covers the resource.
    pub(super) fn reaches(&self, shape: &Shape) -> bool {
        let is_theirs = |id: &String| self.members.contains(id);
        match shape.kind {
            Type::Practitioner | Type::Questionnaire => true,
            Type::Patient => is_theirs(&shape.id),
            // No claim names an encounter here, so nothing clinical goes with payment.
            kind if self.purpose == "HPAYMT" && kind != Type::Encounter => false,
            _ => shape.patient.as_ref().is_some_and(is_theirs),
        }
    }

    /// Whether this is one of them: they are always there.
    pub(super) fn is_member(&self, kind: Type, id: &str) -> bool {
        kind == Type::Patient && self.members.iter().any(|member| member == id)
    }

    /// What makes members of them, and in this world nearly of others.
    pub(super) fn resources(&self, which: usize) -> Vec<Value> {
        let mut all = vec![
            json!({"resourceType": "Organization", "id": "house", "name": "House"}),
            json!({"resourceType": "Organization", "id": "elsewhere", "name": "Elsewhere"}),
        ];
        for id in &self.members {
            all.push(json!({"resourceType": "Patient", "id": id, "gender": "other"}));
            all.push(coverage(id, "house"));
            all.push(team(id, "house"));
        }
        all.extend(self.misses[which].iter().cloned());
        all
    }
}

fn coverage(patient: &str, payor: &str) -> Value {
    json!({
        "resourceType": "Coverage", "id": format!("v-{patient}"), "status": "active",
        "beneficiary": {"reference": format!("Patient/{patient}")},
        "payor": [{"reference": format!("Organization/{payor}")}], "period": {"start": "2025-01-01"},
    })
}

fn team(patient: &str, organization: &str) -> Value {
    json!({
        "resourceType": "CareTeam", "id": format!("t-{patient}"), "status": "active",
        "subject": {"reference": format!("Patient/{patient}")}, "period": {"start": "2025-01-01"},
        "participant": [{"member": {"reference": format!("Organization/{organization}")}}],
    })
}

/// What makes nobody a member: of another organization, over, not yet begun, or not active.
fn miss(dice: &mut Dice, patient: &str) -> Value {
    let of_payer = dice.chance(50);
    let any = |organization: &str| if of_payer { coverage(patient, organization) } else { team(patient, organization) };
    let mut miss = any("house");
    match dice.below(4) {
        0 => return any("elsewhere"),
        // Longer ago than a payer settles.
        1 => miss["period"] = json!({"end": "2024-12-31"}),
        2 => miss["period"] = json!({"start": "2026-02-01"}),
        _ => miss["status"] = json!("entered-in-error"),
    }
    miss
}
