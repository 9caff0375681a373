//! Which addresses are public, and networks in CIDR notation. SPEC: RFC 6890 and the IANA special-purpose
//! address registries; row F60.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// A network, such as `10.1.0.0/16` or `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    bits: u8,
}

/// Text that is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoNetwork;

impl fmt::Display for NoNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a network is an address and a prefix length, such as 10.1.0.0/16 or fd00::/8")
    }
}

impl std::error::Error for NoNetwork {}

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let (address, bits) = text.split_once('/').ok_or(NoNetwork)?;
        let address: IpAddr = address.parse().map_err(|_| NoNetwork)?;
        let bits: u8 = bits.parse().map_err(|_| NoNetwork)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        if bits <= most { Ok(Self { address, bits }) } else { Err(NoNetwork) }
    }
}

impl Network {
    /// Whether the address lies in it.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => v4_within(theirs, ours, self.bits),
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => v6_within(theirs, ours, self.bits),
            _ => false,
        }
    }
}

fn v4_within(address: Ipv4Addr, network: Ipv4Addr, bits: u8) -> bool {
    let host_bits = 32 - u32::from(bits.min(32));
    (address.to_bits() ^ network.to_bits()).checked_shr(host_bits).unwrap_or(0) == 0
}

fn v6_within(address: Ipv6Addr, network: Ipv6Addr, bits: u8) -> bool {
    let host_bits = 128 - u32::from(bits.min(128));
    (address.to_bits() ^ network.to_bits()).checked_shr(host_bits).unwrap_or(0) == 0
}

/// IPv4 networks that no public server lives in.
const NOT_PUBLIC_V4: [(Ipv4Addr, u8); 14] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16), // link-local, the clouds' metadata services among it
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 3), // multicast, reserved, broadcast
];

/// IPv6 networks within 2000::/3 that no public server lives in, or that wrap an IPv4 address.
const NOT_PUBLIC_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether a public server can have this address. IPv6 outside the global unicast block 2000::/3 is not
/// public: loopback, unique local, link-local, mapped and translated IPv4 all lie there.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|(network, bits)| v4_within(address, *network, *bits)),
        IpAddr::V6(address) => {
            v6_within(address, Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)
                && !NOT_PUBLIC_V6.iter().any(|(network, bits)| v6_within(address, *network, *bits))
        }
    }
}

#[cfg(test)]
mod tests {
    //! F60: the block list, and what it must not block.

    use super::*;

    #[test]
    fn inner_addresses_are_not_public() {
        for address in [
            "127.0.0.1",
            "127.255.0.9",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "198.18.0.1",
            "192.0.0.192",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn outer_addresses_are() {
        for address in ["1.1.1.1", "172.32.0.1", "172.15.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn networks_contain_what_they_say() {
        let network: Network = "10.1.0.0/16".parse().unwrap();
        assert!(network.contains("10.1.255.1".parse().unwrap()));
        assert!(!network.contains("10.2.0.1".parse().unwrap()));
        assert!(!network.contains("::1".parse().unwrap()));
        assert!("0.0.0.0/0".parse::<Network>().unwrap().contains("8.8.8.8".parse().unwrap()));
        assert!("::1/128".parse::<Network>().unwrap().contains("::1".parse().unwrap()));
        for text in ["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "x/8", "/"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
