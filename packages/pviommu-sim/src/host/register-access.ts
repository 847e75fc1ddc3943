/** How DMA reaches registers: split into naturally aligned accesses of four, two and one byte, as a bus does. */
import type { AccessWidth } from '@viommu/virtqueue';
import type { RegisterWindow } from './register-window.ts';

export function readRegisters(
  registers: RegisterWindow,
  offset: number,
  target: Uint8Array,
  targetOffset: number,
  length: number,
): void {
  for (let done = 0; done < length; ) {
    const width = widthAt(offset + done, length - done);
    const value = registers.read(offset + done, width);
    for (let byte = 0; byte < width; byte++) {
      target[targetOffset + done + byte] = value >>> (8 * byte);
    }
    done += width;
  }
}

export function writeRegisters(
  registers: RegisterWindow,
  offset: number,
  source: Uint8Array,
  sourceOffset: number,
  length: number,
): void {
  for (let done = 0; done < length; ) {
    const width = widthAt(offset + done, length - done);
    let value = 0;
    for (let byte = 0; byte < width; byte++) {
      value |= source[sourceOffset + done + byte]! << (8 * byte);
    }
    registers.write(offset + done, width, value >>> 0);
    done += width;
  }
}

function widthAt(offset: number, left: number): AccessWidth {
  if (offset % 4 === 0 && left >= 4) return 4;
  return offset % 2 === 0 && left >= 2 ? 2 : 1;
}
