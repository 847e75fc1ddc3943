export { type NetBackendSubject, netBackendSuite, testFrame } from './net-backend-suite.ts';
