export { backendSuite } from './backend-suite.ts';
export { DrivenBackend } from './driven-backend.ts';
export { type IommuSubject, iommuSuite } from './iommu-suite/iommu-suite.ts';
export type { EndpointDma, IommuUnderTest } from './iommu-suite/iommu-under-test.ts';
export { NaiveBackend, naiveBackend } from './naive-backend.ts';
export type { Answer, Split } from './request-driver.ts';
export { le32, le64, RequestDriver } from './request-driver.ts';
