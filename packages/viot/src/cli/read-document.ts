/** Reads what a command is given, as bytes or as JSON. */
import { isFlattenedTree } from '../device-tree/flattened-tree.ts';
import type { PassedOver } from '../passed-over.ts';
import { readTopology } from '../read-topology.ts';
import { signatureOf } from '../table/acpi-header.ts';
import { decodeViot } from '../table/decode.ts';
import { VIOT_SIGNATURE } from '../table/layout.ts';
import { ViotError } from '../viot-error.ts';
import { CommandError } from './command-error.ts';
import type { Document } from './document.ts';
import { documentFromJson } from './json-document.ts';
import { nameOf, readInput, type Streams } from './streams.ts';

/** @throws {CommandError} that names the file */
export async function readDocument(file: string, streams: Streams): Promise<Document> {
  const bytes = await readInput(file, streams);
  try {
    return parse(bytes);
  } catch (error) {
    if (!(error instanceof ViotError)) throw error;
    throw new CommandError(`${nameOf(file)}: ${error.message}`, error);
  }
}

function parse(bytes: Uint8Array): Document {
  const text = new TextDecoder().decode(bytes.subarray(0, 64));
  if (text.trimStart().startsWith('{')) return documentFromJson(bytes);
  const signature = signatureOf(bytes);
  if (signature === VIOT_SIGNATURE) return { form: 'table', table: decodeViot(bytes) };
  const source = isFlattenedTree(bytes) ? 'device tree' : signature;
  const passedOver: PassedOver[] = [];
  const topology = readTopology(bytes, { passedOver: (what) => passedOver.push(what) });
  return { form: 'topology', topology, source, passedOver };
}
