// A thread of its own that makes one run after the other: started by thread-pool.ts, spoken to in messages.
import { parentPort, workerData } from 'node:worker_threads';
import { canonicalJson } from '../../../shared/codec.ts';
import { FedanchorError } from '../../../shared/errors.ts';
import { createEngine } from '../../../shared/runtime/engine/create-engine.ts';
import { usePlatformHashing } from '../../../shared/runtime/platform-hashing.ts';
import { runOne } from '../../engine/run-one.ts';
import type { Learner } from '../../models/learner.ts';
import { openLearner } from '../../models/open-learner.ts';
import { isDiskFault } from '../disk-fault.ts';
import type { RunSpec } from '../run-spec.ts';
import type { RunMessage, RunRequest, RunThreadStart } from './run-messages.ts';

const { dataset, threads, baseFolder } = workerData as RunThreadStart;

usePlatformHashing();
const engine = createEngine({ threads });
let open: { readonly key: string; readonly learner: Learner } | undefined;

/** The runs of an experiment have one model between them: it is opened once. */
async function learnerOf(model: RunSpec['model']): Promise<Learner> {
  const key = canonicalJson(model);
  if (open?.key === key) return open.learner;
  await open?.learner.close();
  open = undefined;
  const learner = await openLearner(model, dataset, threads);
  open = { key, learner };
  return learner;
}

const tell = (message: RunMessage): void => parentPort?.postMessage(message);

async function make({ spec, folder }: RunRequest): Promise<void> {
  try {
    const resources = { dataset, learner: await learnerOf(spec.model), engine, folder, baseFolder };
    const result = await runOne(spec, resources, { onRound: (round) => tell({ kind: 'round', round }) });
    tell({ kind: 'result', result });
  } catch (error) {
    const code = error instanceof FedanchorError ? error.code : 'experiment/unexpected';
    const message = error instanceof Error ? error.message : String(error);
    tell({ kind: 'failed', code, message, disk: isDiskFault(error) });
  }
}

parentPort?.on('message', (request: RunRequest) => void make(request));
