import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Boundary, nameOf, runsOf } from './boundaries.ts';
import { COORDINATOR_BOUNDARIES, REPEATED } from './coordinator-points.ts';
import { type Federation, openFederation } from './federation.ts';
import { createLanes, type Lanes } from './lanes.ts';
import { MATRIX_COLUMNS, matrixRow, publish } from './matrix-document.ts';
import { type Outcome, settle } from './outcome.ts';
import { buildProgram, type Program } from './program.ts';
import { runWithCrashes, tracePoints } from './scenario.ts';

let lanes: Lanes<Federation>;
let program: Program;
let undisturbed: Outcome;
let counts: ReadonlyMap<string, number>;
const held = new Set<string>();

beforeAll(async () => {
  program = await buildProgram('coordinator-child.ts');
  lanes = createLanes(await Promise.all([openFederation(3), openFederation(3)]));
  await lanes.lend(async (federation) => {
    const scene = await federation.freshScene();
    counts = await tracePoints(program, federation, scene);
    undisturbed = await settle(federation, scene);
  });
}, 120_000);

afterAll(async () => {
  await Promise.all((lanes?.all ?? []).map((federation) => federation.close()));
  await program?.remove();
});

/** Runs the job, each of its coordinator's lives but the last one killed, and holds it to the undisturbed one. */
async function survive(points: readonly string[]): Promise<void> {
  await lanes.lend(async (federation) => {
    const scene = await federation.freshScene();
    expect(await runWithCrashes(program, federation, scene, points), 'points that were not reached').toEqual([]);
    expect(await settle(federation, scene)).toEqual(undisturbed);
  });
}

describe('a coordinator that is killed and started again ends as if nothing had happened', () => {
  it('wherever it is killed: the matrix has every boundary that a job comes to', () => {
    expect([...counts.keys()].sort()).toEqual(COORDINATOR_BOUNDARIES.flat().sort());
  });

  it.concurrent.each(
    runsOf(COORDINATOR_BOUNDARIES, 8).map((run): [string, Boundary[]] => [
      run.map(([at]) => at).join('", then at "'),
      run,
    ]),
  )(
    'killed at "%s"',
    async (_, run) => {
      await survive(run.map(([at]) => at));
      for (const boundary of run) held.add(nameOf(boundary));
    },
    120_000,
  );

  it.concurrent.each(REPEATED.map((points) => points.join('", then at "')))(
    'killed while it takes up what a kill left: at "%s"',
    async (name) => {
      await survive(name.split('", then at "'));
      held.add(name);
    },
    120_000,
  );

  it('is written down in docs/reliability.md', async () => {
    const names = [...COORDINATOR_BOUNDARIES.map(nameOf), ...REPEATED.map((points) => points.join('", then at "'))];
    await publish('coordinator', MATRIX_COLUMNS, names.filter((name) => held.has(name)).map(matrixRow));
  });
});
