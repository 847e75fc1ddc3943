/** V86Error: what somebody who puts functions on v86's bus did wrong; its message says what to do. */

/**
 * - `INTERNALS`: this v86 is another than the one whose inside is known, or not ready
 * - `PLACE`: there is no such place on the bus, or something is there
 * - `RUNNING`: the guest has begun, and would not see it any more
 * - `SNAPSHOT`: a saved state is of another machine, or damaged
 */
export type V86ErrorCode = 'INTERNALS' | 'PLACE' | 'RUNNING' | 'SNAPSHOT';

export class V86Error extends Error {
  readonly code: V86ErrorCode;

  constructor(code: V86ErrorCode, message: string) {
    super(message);
    this.name = 'V86Error';
    this.code = code;
  }
}
