import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRng, type Rng } from '../../shared/rng.ts';
import type { Boundary } from './boundaries.ts';
import { CLIENT_BOUNDARIES } from './client-points.ts';
import { COORDINATOR_BOUNDARIES } from './coordinator-points.ts';
import { type Federation, openFederation } from './federation.ts';
import { publish } from './matrix-document.ts';
import { type Outcome, settle } from './outcome.ts';
import { buildProgram, type Program } from './program.ts';
import { runUndisturbed, runWithCrashes } from './scenario.ts';

/** Set another one to look further; a run that fails names the seed and the run. */
const SEED = Number(process.env['FEDANCHOR_SOAK_SEED'] ?? 20_260_101);
const RUNS = Number(process.env['FEDANCHOR_SOAK_RUNS'] ?? 40);
const ROUNDS = 4;

let federation: Federation;
let coordinator: Program;
let client: Program;
let undisturbed: Outcome;

beforeAll(async () => {
  [coordinator, client] = await Promise.all([buildProgram('coordinator-child.ts'), buildProgram('client-child.ts')]);
  federation = await openFederation(ROUNDS);
  const scene = await federation.freshScene();
  await runUndisturbed(federation, scene);
  undisturbed = await settle(federation, scene);
}, 120_000);

afterAll(async () => {
  await federation?.close();
  await coordinator?.remove();
  await client?.remove();
});

/** Up to `most` boundaries, each at one of the first times that a life comes to it. */
function draw(rng: Rng, boundaries: readonly Boundary[], most: number): string[] {
  return Array.from({ length: rng.below(most + 1) }, () => {
    const [point] = boundaries[rng.below(boundaries.length)] as Boundary;
    return `${point}#${1 + rng.below(4)}`;
  });
}

it(`a job ends as if nothing had happened, however its coordinator and a client die: seed ${SEED}`, async () => {
  let kills = 0;
  for (let run = 0; run < RUNS; run++) {
    const rng = createRng(SEED, `soak ${run}`);
    const points = draw(rng, COORDINATOR_BOUNDARIES, 6);
    const victim = { program: client, points: draw(rng, CLIENT_BOUNDARIES, 4) };
    const said = `seed ${SEED}, run ${run}: coordinator [${points.join('; ')}], client [${victim.points.join('; ')}]`;
    const scene = await federation.freshScene();
    const missed = await runWithCrashes(coordinator, federation, scene, points, victim).catch((cause: unknown) => {
      throw new Error(said, { cause });
    });
    kills += points.length - missed.length;
    expect(await settle(federation, scene), said).toEqual(undisturbed);
  }
  expect(kills).toBeGreaterThan(RUNS);
  const columns = ['seed', 'jobs of four rounds', 'coordinators killed', 'all as undisturbed'];
  await publish('soak', columns, [{ injected: String(SEED), cells: [String(RUNS), String(kills), 'held'] }]);
}, 1_500_000);
