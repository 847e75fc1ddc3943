export { RegisterNames } from './registers/register-names.ts';
export { accessVerb, faultReason } from './requests/fault-text.ts';
export type { RequestField, RequestLayout } from './requests/request-layout.ts';
export {
  addressField,
  fieldValue,
  REQUEST_LAYOUTS,
  requestField,
} from './requests/request-layout.ts';
export {
  hexNumber,
  requestBytes,
  requestEffect,
  requestFields,
  requestName,
  statusName,
} from './requests/request-text.ts';
export { FIGURE_STEPS, passThroughText } from './steps/pass-through-text.ts';
export type { StepNames } from './steps/step-text.ts';
export { effectText, operationActor, operationText } from './steps/step-text.ts';
export type * from './walk/translation-walk.ts';
export { answerWalk, walkTranslation } from './walk/walk-translation.ts';
export type * from './watch/inspector-messages.ts';
export { joinUpdates } from './watch/join-updates.ts';
export type { DomainView } from './watch/machine-view.ts';
export { MachineView } from './watch/machine-view.ts';
export type { MachineWatchOptions } from './watch/machine-watch.ts';
export { MachineWatch } from './watch/machine-watch.ts';
export type * from './watch/pass-through-step.ts';
export { watchPassThrough } from './watch/pass-through-watch.ts';
export { SortedMappings } from './watch/sorted-mappings.ts';
export type { Told } from './watch/told-codec.ts';
export { decodeTold, encodeTold, isAnswer } from './watch/told-codec.ts';
