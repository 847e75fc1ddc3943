/** The contract between the page and the worker in which a guest runs. Types and docs only. */
import type { InspectorUpdate, WalkAnswer, WalkQuery } from '@viommu/inspector';

/** What the page asks for. */
export type GuestCommand =
  /** Once: its parts are fetched, and then the guest begins. */
  | { readonly kind: 'boot' }
  /** Keys for its serial port. */
  | { readonly kind: 'type'; readonly text: string }
  /** The page has drawn an update, and another can come: so nothing piles up on the way to a page that is slow. */
  | { readonly kind: 'drawn' }
  /** A device accesses what it was never given, by itself and not for its driver. */
  | { readonly kind: 'stray'; readonly iommu: number; readonly endpoint: number }
  /** Mappings that may come to those that are there before the guest is told NOMEM; undefined for as many as ever. */
  | { readonly kind: 'limit'; readonly mappings: number | undefined }
  /** Devices take no more buffers of their queues, or again. The IOMMU goes on. */
  | { readonly kind: 'hold'; readonly isHeld: boolean }
  /** One buffer is taken. */
  | { readonly kind: 'stepDma' }
  /** Every update has this walk from now on. */
  | { readonly kind: 'walk'; readonly query: WalkQuery };

export type GuestReport =
  /** Bytes of the guest's parts, compressed, that have come. */
  | { readonly kind: 'loading'; readonly bytes: number; readonly total: number }
  /** The parts are not beside the page. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'booting'; readonly kernelRelease: string }
  /** Bytes of the serial port. */
  | { readonly kind: 'console'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'update';
      readonly update: InspectorUpdate;
      /** Of what was asked for last. */
      readonly walk: WalkAnswer | undefined;
      readonly isHeld: boolean;
    }
  | { readonly kind: 'failed'; readonly message: string };
