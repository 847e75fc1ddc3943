export { backendSuite } from './backend-suite.ts';
export { DrivenBackend } from './driven-backend.ts';
export { NaiveBackend, naiveBackend } from './naive-backend.ts';
export type { Answer, Split } from './request-driver.ts';
export { le32, le64, RequestDriver } from './request-driver.ts';
