/** The recipe of the Linux guest that runs in v86: kernel, busybox and BIOS from Debian's packages, without root. */
export { GuestError } from './guest-error.ts';
export {
  prepareV86Guest,
  type V86GuestOptions,
  type V86GuestParts,
  v86GuestIsCached,
} from './guest-parts.ts';
export { makePageFolder, type PageGuest } from './page-folder.ts';
