/** VFIO_USER_VERSION: what both sides can do. */
import { EINVAL } from '@viommu/linux-io';
import { MAX_DATA_XFER_SIZE, MAX_MSG_FDS } from '../protocol/constants.ts';
import { VERSION_DATA, VERSION_MAJOR, VERSION_MINOR } from '../protocol/layout.ts';
import type { MessageHandler } from './message.ts';

const decoder = new TextDecoder();
const encoder = new TextEncoder();

interface Capabilities {
  max_data_xfer_size?: unknown;
  write_multiple?: unknown;
}

export const version: MessageHandler = (session, request, reply) => {
  const { view, bytes, size } = request;
  if (session.negotiated || size < VERSION_DATA || view.getUint16(VERSION_MAJOR, true) !== 0) {
    return -EINVAL;
  }
  const capabilities = parseCapabilities(bytes.slice(VERSION_DATA, size));
  const maxDataXferSize = capabilities?.max_data_xfer_size ?? MAX_DATA_XFER_SIZE;
  if (capabilities === undefined || !isPositiveInteger(maxDataXferSize)) {
    return -EINVAL;
  }
  session.maxDataXferSize = Math.min(maxDataXferSize, MAX_DATA_XFER_SIZE);
  session.negotiated = true;

  reply.view.setUint16(VERSION_MAJOR, 0, true);
  reply.view.setUint16(VERSION_MINOR, 0, true);
  // QEMU leaves when the reply is longer than its request.
  const room = size - VERSION_DATA;
  for (const offer of offers(capabilities.write_multiple === true)) {
    if (offer.length <= room) {
      reply.bytes.set(offer, VERSION_DATA);
      return VERSION_DATA + offer.length;
    }
  }
  return VERSION_DATA;
};

/** Our capabilities, the fullest first, each as JSON with its NUL. "The capability list must be a subset of those proposed." */
function offers(writeMultiple: boolean): Uint8Array[] {
  const basic = { max_msg_fds: MAX_MSG_FDS, max_data_xfer_size: MAX_DATA_XFER_SIZE };
  const choices = writeMultiple ? [{ ...basic, write_multiple: true }, basic] : [basic];
  return choices.map((capabilities) => encoder.encode(`${JSON.stringify({ capabilities })}\0`));
}

/** Everything in the version data is optional; undefined when it is not what the specification says. */
function parseCapabilities(data: Uint8Array): Capabilities | undefined {
  const end = data.indexOf(0);
  const text = decoder.decode(end < 0 ? data : data.subarray(0, end));
  if (text === '') {
    return {};
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (!isObject(parsed)) {
      return undefined;
    }
    const { capabilities = {} } = parsed as { capabilities?: unknown };
    return isObject(capabilities) ? capabilities : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPositiveInteger(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
