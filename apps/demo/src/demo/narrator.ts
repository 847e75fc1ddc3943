/** Narrator: prints what happens in a scenario, with each request and fault as the device's observer sees it. */
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
import type { FigureStep, ScenarioTeller } from '@viommu/scenarios';
import { formatBdf } from '@viommu/viot';
import pc from 'picocolors';

export class Narrator implements ScenarioTeller {
  readonly #write: (text: string) => void;
  #chapter = 0;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

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

  chapter(title: string): void {
    this.#chapter += 1;
    this.#write(`\n${pc.bold(`${this.#chapter}. ${title}`)}\n`);
  }

  tell(who: string, text: string, step?: FigureStep): void {
    this.#line(`${who.padEnd(7)} ${step === undefined ? '' : `${step}  `}${text}`);
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
