/** Constants of the standard's chapter "Block Device". */

export const SECTOR_SIZE = 512;

// "Feature bits", as masks.
export const VIRTIO_BLK_F_SEG_MAX = 1n << 2n;
export const VIRTIO_BLK_F_RO = 1n << 5n;
export const VIRTIO_BLK_F_BLK_SIZE = 1n << 6n;
export const VIRTIO_BLK_F_FLUSH = 1n << 9n;

// struct virtio_blk_config, as far as the features above give it a meaning.
export const BLK_CONFIG_CAPACITY = 0;
export const BLK_CONFIG_SEG_MAX = 12;
export const BLK_CONFIG_BLK_SIZE = 20;
export const BLK_CONFIG_SIZE = 24;

// struct virtio_blk_req { le32 type; le32 reserved; le64 sector; u8 data[]; u8 status; };
export const BLK_REQ_TYPE = 0;
export const BLK_REQ_SECTOR = 8;
export const BLK_REQ_HEADER_SIZE = 16;

export const VIRTIO_BLK_T_IN = 0;
export const VIRTIO_BLK_T_OUT = 1;
export const VIRTIO_BLK_T_FLUSH = 4;
export const VIRTIO_BLK_T_GET_ID = 8;

export const VIRTIO_BLK_S_OK = 0;
export const VIRTIO_BLK_S_IOERR = 1;
export const VIRTIO_BLK_S_UNSUPP = 2;

/** Bytes of the answer to GET_ID; a shorter ID is padded with zeros. */
export const VIRTIO_BLK_ID_BYTES = 20;
