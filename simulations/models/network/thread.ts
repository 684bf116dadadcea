import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { ThreadData, ThreadRequest } from './crew.ts';
import { createNetwork } from './network.ts';
import { runShare } from './share.ts';

// One thread of a learner: it does its share of every piece of work it is sent, one after the other.

const port = parentPort as MessagePort;
const { plan, places, memory, module } = workerData as ThreadData;
const network = createNetwork(plan, places, memory, module);

port.on('message', ({ id, work, next }: ThreadRequest) => {
  try {
    port.postMessage({ id, done: runShare(network, work, next) });
  } catch (error) {
    port.postMessage({ id, failure: error instanceof Error ? error.message : String(error) });
  }
});
