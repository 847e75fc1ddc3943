/** PassedOver: something that a description says and the topology model does not hold. */

export interface PassedOver {
  /** Where it is, in bytes from the start. */
  readonly offset: number;
  /** One clause without a full stop: what it is, and why it is left out. */
  readonly reason: string;
}
