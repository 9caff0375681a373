//! An authenticator for tests, with a browser around it: makes what a real one would, and can be told to lie.

use super::{Passkey, RelyingParty};
use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    rsa,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ciborium::{Value, cbor};
use serde_json::json;

pub(crate) enum Key {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(Box<RsaKeyPair>),
}

impl Key {
    pub(crate) fn es256() -> Self {
        Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    pub(crate) fn eddsa() -> Self {
        Self::EdDsa(Ed25519KeyPair::generate().unwrap())
    }

    pub(crate) fn rs256() -> Self {
        Self::Rs256(Box::new(RsaKeyPair::generate(rsa::KeySize::Rsa2048).unwrap()))
    }

    pub(crate) fn cose(&self) -> Vec<u8> {
        let value = match self {
            Self::Es256(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = point[1..].split_at(32);
                cbor!({ 1 => 2, 3 => -7, -1 => 1, -2 => Value::Bytes(x.into()), -3 => Value::Bytes(y.into()) })
            }
            Self::EdDsa(pair) => {
                let x = pair.public_key().as_ref();
                cbor!({ 1 => 1, 3 => -8, -1 => 6, -2 => Value::Bytes(x.into()) })
            }
            Self::Rs256(pair) => {
                let key = pair.public_key();
                let (n, e) = (key.modulus().big_endian_without_leading_zero(), key.exponent());
                let e = e.big_endian_without_leading_zero();
                cbor!({ 1 => 3, 3 => -257, -1 => Value::Bytes(n.into()), -2 => Value::Bytes(e.into()) })
            }
        };
        bytes(&value.unwrap())
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Es256(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
        }
    }
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

/// The authenticator with one credential.
pub(crate) struct Authenticator {
    pub(crate) key: Key,
    pub(crate) id: Vec<u8>,
    pub(crate) counter: u32,
    /// UP, UV, BE, BS as a phone sets them.
    pub(crate) flags: u8,
    pub(crate) rp_id: String,
    pub(crate) origin: String,
    pub(crate) format: &'static str,
}

impl Authenticator {
    pub(crate) fn new(key: Key, id: &str) -> Self {
        Self {
            key,
            id: id.as_bytes().to_vec(),
            counter: 0,
            flags: 0b1_1101,
            rp_id: "care.example".into(),
            origin: "https://care.example:8443".into(),
            format: "none",
        }
    }

    pub(crate) fn client_data(&self, ceremony: &str, challenge: &[u8]) -> Vec<u8> {
        let challenge = URL_SAFE_NO_PAD.encode(challenge);
        json!({ "type": ceremony, "challenge": challenge, "origin": self.origin, "crossOrigin": false })
            .to_string()
            .into_bytes()
    }

    pub(crate) fn data(&self, with_key: bool) -> Vec<u8> {
        let mut data = digest::digest(&digest::SHA256, self.rp_id.as_bytes()).as_ref().to_vec();
        data.push(if with_key { self.flags | 1 << 6 } else { self.flags });
        data.extend(self.counter.to_be_bytes());
        if with_key {
            data.extend([0; 16]);
            data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
            data.extend(&self.id);
            data.extend(self.key.cose());
        }
        data
    }

    pub(crate) fn object(&self, data: Vec<u8>) -> Vec<u8> {
        let value = cbor!({ "fmt" => self.format, "attStmt" => {}, "authData" => Value::Bytes(data) }).unwrap();
        bytes(&value)
    }

    /// `clientDataJSON`, `attestationObject`.
    pub(crate) fn create(&self, challenge: &[u8]) -> (Vec<u8>, Vec<u8>) {
        (self.client_data("webauthn.create", challenge), self.object(self.data(true)))
    }

    /// `clientDataJSON`, `authenticatorData`, `signature`; counts, when it counts.
    pub(crate) fn get(&mut self, challenge: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        if self.counter > 0 {
            self.counter += 1;
        }
        let (client_data, data) = (self.client_data("webauthn.get", challenge), self.data(false));
        let signature = self.signature(&client_data, &data);
        (client_data, data, signature)
    }

    pub(crate) fn signature(&self, client_data: &[u8], data: &[u8]) -> Vec<u8> {
        let hash = digest::digest(&digest::SHA256, client_data);
        self.key.sign(&[data, hash.as_ref()].concat())
    }

    pub(crate) fn registered(&self, party: &RelyingParty) -> Passkey {
        let (client_data, object) = self.create(b"c");
        let answer = super::registration::Answer { client_data: &client_data, attestation_object: &object };
        super::registration::verify(&answer, b"c", party, "Phone".into(), 0).unwrap()
    }
}
