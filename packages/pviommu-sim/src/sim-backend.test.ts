import { backendSuite } from '@viommu/iommu-core/testing';
import { simBackend } from './sim-backend.ts';

backendSuite('simBackend, 4 KiB', simBackend());
backendSuite('simBackend, one byte', simBackend({ pageSizeMask: 1n }));
backendSuite('simBackend, 52 bits', simBackend({ inputBits: 52, pageSizeMask: 0x20n }));
backendSuite('simBackend, 32 bits', simBackend({ inputBits: 32 }));
