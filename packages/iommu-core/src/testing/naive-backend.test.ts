import { backendSuite } from './backend-suite.ts';
import { naiveBackend } from './naive-backend.ts';

backendSuite('NaiveBackend', naiveBackend());
