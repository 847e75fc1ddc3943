/** What a device tree says of devices and a topology does not. Types and docs only. */

/** A device that is known by the address of its registers: a virtio-mmio device, or one that the properties describe. */
export interface DtsDevice {
  /** Address of its registers: that of the IOMMU or endpoint in the topology. */
  readonly base: number;
  /** Bytes of its registers; 0x200 when not given. */
  readonly size?: number;
  /** `interrupts`, as the interrupt controller of the tree wants it; a virtio-mmio device needs one. */
  readonly interrupts?: readonly number[];
  /** `compatible`; `virtio,mmio` when not given. */
  readonly compatible?: string;
  /** More lines, each with its semicolon: `dma-coherent;`. */
  readonly properties?: readonly string[];
}

/** Of a tree of its own. */
export interface DtsOptions {
  /** At most one for each host bridge. */
  readonly hostBridges?: readonly {
    readonly segment: number;
    /** Address of its configuration space for 256 buses. */
    readonly ecam?: number;
    /** More lines, each with its semicolon: `ranges = <...>;`. */
    readonly properties?: readonly string[];
  }[];
  readonly devices?: readonly DtsDevice[];
}

/** A place in an existing tree: `/pcie@10000000`, or a label without its ampersand. */
type NodeReference = string;

/** Of what is added to an existing tree. */
export interface DtsFragmentOptions {
  /** One for each segment that has an IOMMU or an endpoint. */
  readonly hostBridges?: readonly { readonly segment: number; readonly node: NodeReference }[];
  /** With `node`: the device that an existing node is; without: a new node, for a tree with two cells for addresses and sizes. */
  readonly devices?: readonly (
    | DtsDevice
    | {
        readonly base: number;
        readonly node: NodeReference;
        readonly properties?: readonly string[];
      }
  )[];
}
