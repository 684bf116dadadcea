import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHAIN_CASES, type ChainCase, HARMS } from './chain-harms.ts';
import { type Federation, openFederation, runClients } from './federation.ts';
import { createLanes } from './lanes.ts';
import { MATRIX_COLUMNS, matrixRow, publish } from './matrix-document.ts';
import { type MortalChain, startMortalChain } from './mortal-chain.ts';
import { type Outcome, settle } from './outcome.ts';
import { buildProgram, freePort, type Life, type Program } from './program.ts';
import { startCoordinator, stopCoordinator, tracePoints } from './scenario.ts';

let program: Program;
let undisturbed: Outcome;
const held = new Set<string>();
/** A node and a coordinator each: more of them at once than this keep two cores from getting anything done. */
const lanes = createLanes([1, 2, 3, 4]);

beforeAll(async () => {
  program = await buildProgram('coordinator-child.ts');
  const federation = await openFederation(2);
  const scene = await federation.freshScene();
  await tracePoints(program, federation, scene);
  undisturbed = await settle(federation, scene);
  await federation.close();
}, 120_000);

afterAll(() => program?.remove());

/** Runs the job on a chain of its own; when the coordinator comes to the point it is held there until the harm is done. */
async function survive({ harm, point }: ChainCase): Promise<Outcome> {
  let chain!: MortalChain;
  const federation = await openFederation(2, 1, async (stateFile) => {
    chain = await startMortalChain(stateFile);
    return chain;
  });
  const lives: Life[] = [];
  try {
    return await suffer(federation, chain, HARMS[harm], point, lives);
  } catch (cause) {
    throw new Error(`the coordinator told, in its lives:\n${lives.map((life) => life.log()).join('\n')}`, { cause });
  } finally {
    for (const { child } of lives) child.kill('SIGKILL');
    await federation.close();
  }
}

async function suffer(
  federation: Federation,
  chain: MortalChain,
  harm: (typeof HARMS)[keyof typeof HARMS],
  point: string,
  lives: Life[],
): Promise<Outcome> {
  const controller = new AbortController();
  const scene = await federation.freshScene();
  // From here on the job's contracts are on disk; what comes after them is not, unless the node is stopped in order.
  await chain.halt();
  await chain.restart();
  const port = await freePort();
  const begin = (faults: Readonly<Record<string, string>> = {}): Life => {
    const life = startCoordinator(program, federation, scene, port, faults);
    lives.push(life);
    return life;
  };
  const first = begin({ FEDANCHOR_HOLD_AT: point });
  const clients = runClients(federation, scene, [0, 1, 2], port, { signal: controller.signal });
  try {
    await first.said('held');
    await harm({
      chain,
      go: () => first.child.kill('SIGUSR2'),
      told: first.told,
      killCoordinator: async () => {
        first.child.kill('SIGKILL');
        expect(await first.ended, first.log()).toBe('SIGKILL');
      },
      startCoordinator: () => begin(),
    });
    const life = lives.at(-1) as Life;
    const outcomes = await Promise.race([clients, life.ended]);
    expect(outcomes, 'outcomes of the clients, or how the coordinator ended before them').toEqual(
      [0, 1, 2].map(() => expect.objectContaining({ kind: 'closed' }) as unknown),
    );
    await stopCoordinator(life);
    // What the chain lost when the job was over already is looked for once in a while, and whenever a coordinator starts.
    const next = begin();
    await next.said('listening');
    await stopCoordinator(next);
    return await settle(federation, scene);
  } finally {
    controller.abort();
    await clients.catch(() => undefined);
  }
}

describe('a chain whose node', () => {
  it.concurrent.each(CHAIN_CASES.map((each): [string, string, ChainCase] => [each.harm, each.point, each]))(
    '%s while the coordinator is at "%s": no record is lost or doubled',
    async (_, __, each) => {
      expect(await lanes.lend(() => survive(each))).toEqual(undisturbed);
      held.add(each.name);
    },
    240_000,
  );

  it('is written down in docs/reliability.md', async () => {
    const names = CHAIN_CASES.map(({ name }) => name);
    await publish('chain', MATRIX_COLUMNS, names.filter((name) => held.has(name)).map(matrixRow));
  });
});
