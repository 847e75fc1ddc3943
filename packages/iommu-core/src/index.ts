export type {
  BackendCapabilities,
  BackendComponents,
  BackendFactory,
  TranslationBackend,
  TranslationResult,
} from './backend.ts';
export {
  TRANSLATION_FAILED,
  TRANSLATION_NO_DOMAIN,
  TRANSLATION_NO_MAPPING,
  TRANSLATION_OK,
} from './backend.ts';
export type { IommuObserver, RequestRecord } from './observer.ts';
