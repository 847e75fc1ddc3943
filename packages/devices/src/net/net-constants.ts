/** Constants of the standard's chapter "Network Device". */

// "Feature bits", as masks.
export const VIRTIO_NET_F_CSUM = 1n << 0n;
export const VIRTIO_NET_F_MTU = 1n << 3n;
export const VIRTIO_NET_F_MAC = 1n << 5n;
export const VIRTIO_NET_F_MRG_RXBUF = 1n << 15n;
export const VIRTIO_NET_F_STATUS = 1n << 16n;

// struct virtio_net_config, as far as the features above give it a meaning.
export const NET_CONFIG_MAC = 0;
export const NET_CONFIG_STATUS = 6;
export const NET_CONFIG_MTU = 10;
export const NET_CONFIG_SIZE = 12;

export const VIRTIO_NET_S_LINK_UP = 1;

// "Virtqueues", without VIRTIO_NET_F_MQ and VIRTIO_NET_F_RSS.
export const RECEIVEQ = 0;
export const TRANSMITQ = 1;

// struct virtio_net_hdr; without the features that make it longer.
export const NET_HDR_FLAGS = 0;
export const NET_HDR_GSO_TYPE = 1;
export const NET_HDR_CSUM_START = 6;
export const NET_HDR_CSUM_OFFSET = 8;
export const NET_HDR_NUM_BUFFERS = 10;
export const NET_HDR_SIZE = 12;

export const VIRTIO_NET_HDR_F_NEEDS_CSUM = 1;
export const VIRTIO_NET_HDR_GSO_NONE = 0;

// Ethernet (IEEE 802.3).
export const MAC_SIZE = 6;
/** Two addresses and a type. */
export const ETHERNET_HEADER_SIZE = 14;
export const ETHERTYPE = 12;
/** IEEE 802.1Q: the type of a frame with a tag, which makes its header longer. */
export const VLAN_ETHERTYPE = 0x8100;
export const VLAN_TAG_SIZE = 4;
