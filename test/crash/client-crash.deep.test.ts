import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Boundary, nameOf, runsOf } from './boundaries.ts';
import { CLIENT_BOUNDARIES, PART_BOUNDARIES } from './client-points.ts';
import { type Federation, openFederation } from './federation.ts';
import { createLanes, type Lanes } from './lanes.ts';
import { MATRIX_COLUMNS, matrixRow, publish } from './matrix-document.ts';
import { type Outcome, settle } from './outcome.ts';
import { buildProgram, type Program } from './program.ts';
import { countPoints, runWithVictim } from './scenario.ts';

let lanes: Lanes<Federation>;
let program: Program;
let undisturbed: Outcome;
let counts: ReadonlyMap<string, number>;
const held = new Set<string>();

beforeAll(async () => {
  program = await buildProgram('client-child.ts');
  lanes = createLanes(await Promise.all([openFederation(2), openFederation(2)]));
  await lanes.lend(async (federation) => {
    const scene = await federation.freshScene();
    const trace = join(scene.coordinator, 'trace.txt');
    await runWithVictim(program, federation, scene, [{ FEDANCHOR_TRACE: trace }]);
    counts = countPoints(await readFile(trace, 'utf8'));
    undisturbed = await settle(federation, scene);
  });
}, 120_000);

afterAll(async () => {
  await Promise.all((lanes?.all ?? []).map((federation) => federation.close()));
  await program?.remove();
});

/** Runs the job with a participant each of whose lives but the last one is killed. */
async function survive(federation: Federation, points: readonly string[]): Promise<Outcome> {
  const scene = await federation.freshScene();
  const lives = [...points.map((point) => ({ FEDANCHOR_CRASH_AT: point })), {}];
  const endings = await runWithVictim(program, federation, scene, lives);
  expect(endings).toEqual([...points.map(() => 'SIGKILL'), 'closed']);
  return settle(federation, scene);
}

describe('a client that is killed and started again changes nothing about the job', () => {
  it('wherever it is killed: the matrix has every boundary that a client comes to', () => {
    expect([...counts.keys()].sort()).toEqual(CLIENT_BOUNDARIES.flat().sort());
  });

  it.concurrent.each(
    runsOf(CLIENT_BOUNDARIES, 5).map((run): [string, Boundary[]] => [run.map(([at]) => at).join('", then at "'), run]),
  )(
    'killed at "%s"',
    async (_, run) => {
      await lanes.lend(async (federation) => {
        expect(
          await survive(
            federation,
            run.map(([at]) => at),
          ),
        ).toEqual(undisturbed);
      });
      for (const boundary of run) held.add(nameOf(boundary));
    },
    120_000,
  );

  it.concurrent.each(PART_BOUNDARIES)(
    'killed at "%s" of two',
    async (point) => {
      const federation = await openFederation(1, 2);
      try {
        await survive(federation, [point]);
        held.add(`${point}, of two`);
      } finally {
        await federation.close();
      }
    },
    120_000,
  );

  it('is written down in docs/reliability.md', async () => {
    const names = [...CLIENT_BOUNDARIES.map(nameOf), ...PART_BOUNDARIES.map((point) => `${point}, of two`)];
    await publish('client', MATRIX_COLUMNS, names.filter((name) => held.has(name)).map(matrixRow));
  });
});
