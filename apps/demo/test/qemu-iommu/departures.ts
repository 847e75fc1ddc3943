/** Where QEMU's virtio-iommu does otherwise than the cases of our suites ask: as it was seen, one sentence each. */
import type { Departure } from '@viommu/virtqueue/testing';

export const QEMU_DEPARTURES: Readonly<Record<string, Departure>> = {
  'test_map_unmap (crosvm)': {
    does: 'A write to the byte before a mapping is let through, to the byte before its physical memory.',
    message: /a write to 0x3fff: expected \{ allowed: true/,
  },
  'test_remove_map (crosvm)': {
    does: 'UNMAP says RANGE, but has removed the mappings that come before the one that it would split.',
    message: 'expected [ 1, 2, 7, 8 ] to deeply equal [ 1, 2, 4, 5, 7, 8 ]',
  },
  'UNMAP that would split the last of many mappings is RANGE and removes none': {
    does: 'UNMAP says RANGE, but has removed mappings of the range.',
    message: 'what is left: expected',
  },
  'nothing is written for a type that is not known': {
    does: 'A tail that says UNSUPP is written, and the used length is 4.',
    message: 'expected { type: +0, used: 4 }',
  },
  'a request without room for a tail is given back unwritten': {
    does: 'The buffer is not given back: the device asks for a reset.',
    message: 'without room for a tail: expected -1 to be +0',
  },
  'PROBE with properties shorter than probe_size is INVAL, and none is written': {
    does: 'Properties are written as far as they fit, and over their first four bytes a tail that says DEVERR; the used length is 4.',
    message: "expected 'OK' to be 'INVAL'",
  },
  'a reset takes all endpoints out of their domains': {
    does: 'Endpoints stay in their domains over a device reset.',
    message: "MAP to a domain of before: expected 'OK' to be 'NOENT'",
  },
  'a reset leaves no mapping within reach': {
    does: 'What was mapped is still translated after a device reset.',
    message: /a write to 0x2000: expected \{ allowed: true/,
  },
  'ATTACH with reserved that is not 0 is INVAL': {
    does: '`reserved` is not looked at: the endpoint is attached.',
    message: "expected 'OK' to be 'INVAL'",
  },
  'ATTACH with the flag BYPASS is INVAL when its feature was not accepted': {
    does: 'The flag is taken whether or not the feature was accepted.',
    message: "expected 'OK' to be 'INVAL'",
  },
  'ATTACH to the domain that the endpoint is in keeps the mappings': {
    does: 'The domain of a single endpoint loses its mappings.',
    message: 'expected [] to deeply equal [ 3 ]',
  },
  'ATTACH that fails leaves the endpoint where it was': {
    does: 'The endpoint is taken out of its domain, although the request is refused.',
    message: "MAP over what the endpoint had: expected 'NOENT' to be 'INVAL'",
  },
  'MAP with the flag MMIO is INVAL when its feature was not accepted': {
    does: 'The flag is taken whether or not the feature was accepted.',
    message: "expected 'OK' to be 'INVAL'",
  },
  'MAP that is not aligned to the granule is RANGE': {
    does: 'Addresses need not be aligned: the mapping is made.',
    message: "expected [ 'virt_start', 'OK' ]",
  },
  'MAP outside input_range fails': {
    does: 'The mapping is made.',
    message: "expected 'OK' not to be 'OK'",
  },
  'MAP whose virt_end is 2^64 - 1 is carried out or fails': {
    does: 'The mapping is made, although `input_range` ends far before.',
    message: 'expected true to be false',
  },
  'MAP to physical addresses beyond 2^64 fails (crosvm: test_mapping_info)': {
    does: 'The mapping is made.',
    message: "expected 'OK' not to be 'OK'",
  },
  'MAP over a region of RESV_MEM is refused': {
    does: 'The mapping is made.',
    message: "expected 'OK' not to be 'OK'",
  },
  'a fault of an endpoint in no domain has the reason DOMAIN': {
    does: 'The reason is UNKNOWN, whether the endpoint was never in a domain or has left one.',
    message: 'expected { reason: +0',
  },
};

/** Of the split rings of its queues, by deviceRingSuite. */
export const QEMU_RING_DEPARTURES: Readonly<Record<string, Departure>> = {
  'consumes nothing before DRIVER_OK': {
    does: 'A request that is kicked before DRIVER_OK is carried out, and its buffer used.',
    message: 'buffers used before DRIVER_OK: expected 1 to be +0',
  },
  'takes direct descriptors with an indirect one behind them': {
    does: 'The request is not answered; the buffer is not used.',
    message: 'buffers used: expected +0 to be 1',
  },
  'does not interrupt for used buffers that used_event does not name': {
    does: 'The first used buffer after a reset interrupts, whatever used_event says.',
    message: 'expected [ true, false, true, false, false ]',
  },
};
