/** Narrator: prints the steps of the demo, and each request and fault as the device's observer sees it. */

import {
  accessVerb,
  faultReason,
  hexNumber,
  requestBytes,
  requestEffect,
  requestFields,
  statusName,
} from '@viommu/inspector';
import type { IommuObserver, RequestRecord } from '@viommu/iommu-core';
import { formatBdf } from '@viommu/viot';
import pc from 'picocolors';

export class Narrator {
  readonly #write: (text: string) => void;
  #step = 0;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** To be handed to the device. */
  readonly observer: IommuObserver = {
    request: (record) => this.#request(record),
    fault: (endpoint, reason, access, address, delivered) => {
      this.#line(
        pc.red(
          `device  ${formatBdf(endpoint)} may not ${accessVerb(access)} at ${hexNumber(address)}: ${faultReason(reason)}`,
        ),
      );
      this.#line(
        delivered
          ? '        and writes a report into an event buffer'
          : '        and has no event buffer',
      );
    },
  };

  step(title: string): void {
    this.#step += 1;
    this.#write(`\n${pc.bold(`${this.#step}. ${title}`)}\n`);
  }

  /** What the driver does or sees. */
  say(text: string): void {
    this.tell('driver', text);
  }

  /** What somebody else does or sees. @param who at most seven letters */
  tell(who: string, text: string): void {
    this.#line(`${who.padEnd(7)} ${text}`);
  }

  #request(record: RequestRecord): void {
    this.#line(`${pc.cyan('request')} ${pc.bold(requestFields(record))}`);
    this.#line(pc.dim(`        ${requestBytes(record)}`));
    const status = statusName(record.status);
    const text = record.status === 0 ? pc.green(status) : pc.yellow(status);
    this.#line(`device  ${text}, used length ${record.usedLength}: ${requestEffect(record)}`);
  }

  #line(text: string): void {
    this.#write(`   ${text}\n`);
  }
}
