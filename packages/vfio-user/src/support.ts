/** Whether this system can serve vfio-user. */
import { type Libc, requireLibc, whyUnsupported as whyNoSystemCalls } from '@viommu/linux-io';
import { VfioUserError } from './error.ts';

/** Why this system cannot serve vfio-user, or undefined when it can. */
export function whyUnsupported(): string | undefined {
  const reason = whyNoSystemCalls();
  return reason === undefined
    ? undefined
    : `vfio-user needs SCM_RIGHTS, eventfd and shared memory: ${reason}`;
}

/** True when this system can serve vfio-user: Linux on x64 or arm64, with koffi's binary present. */
export function isVfioUserSupported(): boolean {
  return whyUnsupported() === undefined;
}

/** @throws {VfioUserError} UNSUPPORTED */
export function requireSupport(): Libc {
  const reason = whyUnsupported();
  if (reason !== undefined) {
    throw new VfioUserError('UNSUPPORTED', reason);
  }
  return requireLibc();
}
