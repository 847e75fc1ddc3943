/** The network that the tests of virtio-net use is one as the contract has it. */
import { ScriptedNetBackend } from '../fixtures/scripted-net-backend.ts';
import { netBackendSuite } from '../testing/net-backend-suite.ts';

netBackendSuite('scripted', () => {
  const backend = new ScriptedNetBackend();
  return {
    backend,
    deliver: (frame) => backend.deliver(frame),
    settle() {},
    taken: () => backend.sent.splice(0),
    hangUp: () => backend.setLink(false),
    close() {},
  };
});
