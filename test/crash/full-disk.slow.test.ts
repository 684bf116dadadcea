import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCoordinator } from '../../coordinator/coordinator.ts';
import type { Log } from '../../coordinator/log.ts';
import { mountSmallDisk } from '../coordinator/stores/full-disk.ts';
import { OPERATOR } from './crash-job.ts';
import { type Federation, openFederation, runClients, type Scene } from './federation.ts';
import { type Outcome, readLog, settle } from './outcome.ts';

const MIB = 2 ** 20;
const disk = mountSmallDisk(64 * MIB);
let federation: Federation;
let undisturbed: Outcome;

/** A log that can be waited for. */
function createTellingLog(): Log & { told(words: string): Promise<void> } {
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  const tell = (_fields: unknown, message: string): void => {
    lines.push(message);
    for (const listener of listeners) listener();
  };
  return {
    ...{ info: tell, warn: tell, error: tell },
    told: (words) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (lines.some((line) => line.includes(words))) resolve();
        };
        listeners.add(look);
        look();
      }),
  };
}

/** Runs the job with its coordinator's folder on that disk, which is filled when somebody first trains. */
async function run(scene: Scene, leaveBytes: number | undefined): Promise<Outcome> {
  const log = createTellingLog();
  const controller = new AbortController();
  const coordinator = await startCoordinator({
    ...{ folder: scene.coordinator, rpcUrl: federation.rpcUrl, signer: OPERATOR.signer, operators: [], log },
    ...{ host: '127.0.0.1', port: 0 },
  });
  try {
    let filled: Promise<void> | undefined;
    const clients = runClients(federation, scene, [0, 1, 2], Number(new URL(coordinator.url).port), {
      signal: controller.signal,
      beforeTraining: () => {
        if (leaveBytes !== undefined) filled ??= disk?.fill(leaveBytes);
        return filled;
      },
    });
    if (leaveBytes !== undefined) {
      await log.told('storage cannot be written');
      await disk?.relieve();
      await log.told('storage can be written again');
    }
    expect((await clients).map(({ kind }) => kind)).toEqual(['closed', 'closed', 'closed']);
  } finally {
    controller.abort();
    await coordinator[Symbol.asyncDispose]();
  }
  return settle(federation, scene);
}

/** A scene whose coordinator lies on the small disk. */
async function sceneOnDisk(name: string): Promise<Scene> {
  const scene = await federation.freshScene();
  const coordinator = join(disk?.folder ?? '', name);
  await cp(scene.coordinator, coordinator, { recursive: true });
  return { ...scene, coordinator, job: join(coordinator, 'jobs', federation.terms.job.slice(2)) };
}

beforeAll(async () => {
  federation = await openFederation(2);
  undisturbed = await run(await federation.freshScene(), undefined);
}, 60_000);

afterAll(async () => {
  await federation?.close();
  await disk?.remove();
});

describe.skipIf(!disk)('a coordinator whose disk fills up in the middle of a round', () => {
  it.each([
    ['to the last byte', 0],
    ['to less than a page', 5000],
    ['into the reserve for the log', 8 * MIB],
  ])(
    '%s takes no updates, and finishes the job as if nothing had happened once there is room',
    async (name, leave) => {
      const scene = await sceneOnDisk(`job-${leave}`);
      expect(await run(scene, leave), name).toEqual(undisturbed);
      expect((await readLog(scene)).map(({ type }) => type)).not.toContain('deadlinePassed');
    },
    60_000,
  );
});
